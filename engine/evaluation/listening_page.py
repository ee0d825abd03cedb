"""The page on which listeners take the test: in any browser, from a folder, without a network."""

from __future__ import annotations

import json
from dataclasses import asdict

from engine.evaluation.page import THEME
from engine.evaluation.triplets import QUESTIONS, SCHEMA_VERSION, ListeningTest

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Listening test</title><style>
__THEME__
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 0.5rem; } h2 { font-size: 1rem; margin: 0 0 0.4rem; }
p { color: var(--muted); margin: 0 0 1rem; }
.sound { background: var(--soft); border: 1px solid var(--line); border-radius: 0.6rem;
  padding: 0.8rem 1rem; margin: 0.7rem 0; } .sound.playing { border-color: var(--accent); }
audio { width: 100%; display: block; }
fieldset { margin: 1.2rem 0; border: 0; padding: 0; } legend { font-weight: 600; padding: 0; }
.choices { display: flex; gap: 0.6rem; flex-wrap: wrap; margin-top: 0.5rem; }
.choices label { border: 1px solid var(--line); border-radius: 2rem; padding: 0.35rem 1rem;
  cursor: pointer; } .choices label:has(:checked) { border-color: var(--accent);
  background: var(--soft); } input { accent-color: var(--accent); margin: 0 0.5rem 0 0; }
button { font: inherit; padding: 0.45rem 1.2rem; border-radius: 0.5rem; cursor: pointer;
  border: 1px solid var(--line); background: var(--soft); color: var(--ink); }
button:disabled { opacity: 0.45; cursor: default; }
#next { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
#save { margin-left: auto; } nav { display: flex; gap: 0.6rem; margin: 1.8rem 0 0; }
progress { width: 100%; height: 0.5rem; accent-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
</style></head><body>
<h1>Listening test</h1>
<p>Listen to the query and to both candidates, then answer. You may leave at any time: your answers
are kept in this browser, and this page goes on where you stopped. Nothing is sent anywhere, and
nothing is asked about you. When you are done, save your answers and pass the file on.</p>
<progress id="progress"></progress><p id="place" aria-live="polite"></p>
<div class="sound"><h2>Query</h2><audio id="query" controls aria-label="Query"></audio></div>
<div class="sound"><h2>A</h2><audio id="a" controls aria-label="A"></audio></div>
<div class="sound"><h2>B</h2><audio id="b" controls aria-label="B"></audio></div>
<form id="questions"></form>
<nav><button id="back">Back</button><button id="next">Next</button>
<button id="save">Save answers</button></nav>
<script>
"use strict";
const test = __TEST__;
const key = "singalike-" + test.id;
const state = JSON.parse(localStorage.getItem(key) || "null") ||
  {listener: Array.from(crypto.getRandomValues(new Uint8Array(4)),
     b => b.toString(16).padStart(2, "0")).join(""), at: 0, answers: {}};
const element = id => document.getElementById(id);
function keep() { localStorage.setItem(key, JSON.stringify(state)); }
function tell() {
  const asked = test.triplets.reduce((sum, triplet) => sum + triplet.questions.length, 0);
  const answered = Object.keys(state.answers).length;
  element("progress").max = asked;
  element("progress").value = answered;
  element("place").textContent = `${state.at + 1} of ${test.triplets.length}; ` +
    `${answered} of ${asked} questions answered`;
}
function show() {
  const triplet = test.triplets[state.at];
  tell();
  for (const part of ["query", "a", "b"]) element(part).src = triplet[part];
  const form = element("questions");
  form.replaceChildren();
  for (const question of triplet.questions) {
    const set = form.appendChild(document.createElement("fieldset"));
    set.appendChild(document.createElement("legend")).textContent = test.questions[question];
    const choices = set.appendChild(document.createElement("div"));
    choices.className = "choices";
    for (const [choice, text] of [["a", "A"], ["b", "B"], ["tie", "Both the same"]]) {
      const label = choices.appendChild(document.createElement("label"));
      const button = label.appendChild(document.createElement("input"));
      const name = triplet.id + "/" + question;
      Object.assign(button, {type: "radio", name, checked: state.answers[name] === choice});
      button.onchange = () => { state.answers[name] = choice; keep(); tell(); };
      label.append(text);
    }
  }
  element("back").disabled = state.at === 0;
  element("next").disabled = state.at === test.triplets.length - 1;
}
function move(step) { state.at += step; keep(); show(); }
for (const part of ["query", "a", "b"]) {
  const sound = element(part);
  sound.onplay = () => {  // one at a time
    for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
    sound.parentElement.classList.add("playing");
  };
  sound.onpause = sound.onended = () => sound.parentElement.classList.remove("playing");
}
element("back").onclick = () => move(-1);
element("next").onclick = () => move(1);
element("save").onclick = () => {
  const answers = Object.entries(state.answers).map(([name, choice]) => {
    const [triplet, question] = name.split("/");
    return {triplet, question, choice};
  });
  const body = {schema_version: test.schema_version, test: test.id, listener: state.listener,
    answers};
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(body, null, 1)],
    {type: "application/json"}));
  link.download = `answers-${state.listener}.json`;
  link.click();
};
show();
</script></body></html>
"""


def listening_page(test: ListeningTest) -> str:
    """One HTML file to lie beside ``audio``; it saves answers as ``read_answers`` takes them."""
    body = {
        "schema_version": SCHEMA_VERSION,
        "id": test.id,
        "questions": QUESTIONS,
        "triplets": [asdict(triplet) for triplet in test.triplets],
    }
    return _PAGE.replace("__THEME__", THEME).replace(
        "__TEST__", json.dumps(body).replace("</", "<\\/")
    )
