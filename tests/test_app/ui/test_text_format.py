from __future__ import annotations

from app.ui.text_format import LONGEST_WORD, narrow


def test_places_of_files_lose_their_middle_where_no_line_has_room():
    place = f"/home/somebody/{'very-deep/' * 12}library.db"
    told = narrow(f"The library {place} is damaged. Repair it.")
    assert told.startswith("The library /home/somebody")
    assert told.endswith("library.db is damaged. Repair it.")
    assert max(map(len, told.split())) == LONGEST_WORD + 1
    assert narrow("Songs lie in /home/somebody/Music.") == "Songs lie in /home/somebody/Music."
