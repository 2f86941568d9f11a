# The chores of the project.

# What `just` alone shows.
default:
    @just --list

# Run the tests.
test *args:
    tests/run {{args}}

# Run the tests of the local embedder, which fetch a model.
test-local *args:
    tests/run-local-embedder {{args}}

# Format.
fmt:
    cargo fmt

# Everything that is checked beside the tests.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --all-targets --features local-embedder -- -D warnings
    cargo deny check

# Lint the protos, and compare them with the main branch.
proto:
    buf lint
    buf breaking --against '.git#branch=main'

# Measure recall on a data set in LoCoMo's shape.
eval data:
    cargo run --release -- eval recall --data {{data}}

# What authentication costs, as ratios within one run.
bench:
    cargo bench --bench authentication

# The binary to hand out.
dist:
    cargo build --profile dist
