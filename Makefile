# make test is what a change has to pass; the rest are shortcuts.
.PHONY: test test-quick bench demo

test:
	@tests/run.sh

# No installing, no second build: for the moment between two edits.
test-quick:
	cargo test

bench:
	cargo bench

demo:
	cargo run --release -- demo
