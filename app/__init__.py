"""The desktop window of Singalike. Calls engine functions only: no SQL, no networks in here."""
