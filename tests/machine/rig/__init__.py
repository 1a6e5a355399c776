"""A whole machine under test: what starts it, types on it, talks to it and pulls its plug."""
