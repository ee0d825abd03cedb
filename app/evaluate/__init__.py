"""The page that measures voice models, and the listening test."""
