# make test is what a change has to pass; the rest are shortcuts.
.PHONY: test test-quick test-long test-arm test-older test-packages test-machine test-cluster packages bench demo

test:
	@tests/run.sh

# No installing, no build but that of `make test`, and none of what takes long: for the moment between two edits.
LONG = failing_disk power_loss odd_names secrets hostile_network picture

test-quick:
	RUST_TEST_THREADS=4 cargo test --quiet --no-fail-fast --features failpoints --lib --test agent --test command --test layers --test server \
	  --test server_log -- $(LONG:%=--skip %::)

# A long search for input that breaks something: make test-long SECONDS=3600
test-long:
	fuzz/run.sh $(or $(SECONDS),600)

# The core's unit tests on emulated ARM processors, where a device's code runs: some minutes.
test-arm:
	tests/arm.sh

# An older gatehand and this one take turns at the same vaults: it is built once, in some minutes.
test-older:
	tests/older_version.sh

# Debian packages, into target/packages: make packages ARCHITECTURES="amd64 arm64 armhf"
packages:
	packaging/build.sh $(ARCHITECTURES)

# Installs, upgrades, removes and purges them in a bare Debian 12.
test-packages:
	packaging/test.sh

# A whole machine, booted from an image of packaging/image; TESTS=test_clock for a part of it.
test-machine:
	tests/machine/run.sh $(TESTS)

# The deployment of docs/SCALING.md, in namespaces of this machine, broken under load: some 10 minutes.
test-cluster:
	tests/cluster/run.sh

bench:
	cargo bench

demo:
	cargo run --release -- demo
