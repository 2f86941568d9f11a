# The chores of the project.

# What `just` alone shows.
default:
    @just --list

# Run the tests.
test *args:
    tests/run {{args}}

# Format.
fmt:
    cargo fmt

# Everything that is checked beside the tests.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
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
