"""Sing or hum: microphone, recorder, the sheet, and the command."""
