"""The page on which listeners take the test: in any browser, from a folder, without a network."""

from __future__ import annotations

import json
from dataclasses import asdict

from engine.evaluation.triplets import QUESTIONS, SCHEMA_VERSION, ListeningTest

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Listening test</title><style>
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
audio { width: 100%; } fieldset { margin: 1rem 0; border: 1px solid #8886; border-radius: 0.4rem; }
label { margin-right: 1.2rem; } button { font: inherit; padding: 0.4rem 1rem; }
nav { display: flex; gap: 0.6rem; margin: 1.5rem 0; } progress { width: 100%; }
</style></head><body>
<h1>Listening test</h1>
<p>Listen to the query and to both candidates, then answer. You may leave at any time: your answers
are kept in this browser, and this page goes on where you stopped. Nothing is sent anywhere, and
nothing is asked about you. When you are done, save your answers and pass the file on.</p>
<progress id="progress"></progress><p id="place" aria-live="polite"></p>
<h2>Query</h2><audio id="query" controls></audio>
<h2>A</h2><audio id="a" controls></audio>
<h2>B</h2><audio id="b" controls></audio>
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
function show() {
  const triplet = test.triplets[state.at];
  element("progress").max = test.triplets.length;
  element("progress").value = state.at + 1;
  element("place").textContent = `${state.at + 1} of ${test.triplets.length}`;
  for (const part of ["query", "a", "b"]) element(part).src = triplet[part];
  const form = element("questions");
  form.replaceChildren();
  for (const question of triplet.questions) {
    const set = form.appendChild(document.createElement("fieldset"));
    set.appendChild(document.createElement("legend")).textContent = test.questions[question];
    for (const [choice, text] of [["a", "A"], ["b", "B"], ["tie", "Both the same"]]) {
      const label = set.appendChild(document.createElement("label"));
      const button = label.appendChild(document.createElement("input"));
      const name = triplet.id + "/" + question;
      Object.assign(button, {type: "radio", name, checked: state.answers[name] === choice});
      button.onchange = () => { state.answers[name] = choice; keep(); };
      label.append(" " + text);
    }
  }
  element("back").disabled = state.at === 0;
  element("next").disabled = state.at === test.triplets.length - 1;
}
function move(step) { state.at += step; keep(); show(); }
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
    return _PAGE.replace("__TEST__", json.dumps(body).replace("</", "<\\/"))
