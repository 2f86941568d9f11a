# The chores of the project.

# What `just` alone shows.
default:
    @just --list

# Run the tests.
test *args:
    tests/run {{args}}

# Attack a real server: unfinished bodies, silent connections, amplification, other people's data.
attack:
    cargo nextest run --test it attack::

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

# Reproduce the tables of docs/QUALITY.md from a data set in LoCoMo's shape, and from the labelled sentences.
eval data="../shared/data/locomo_dev.json":
    cargo run --release -- eval recall --ablation --leave-one-out --data {{data}}
    cargo run --release -- eval extract --data tests/quality/sentences.jsonl

# Fit the extractor's classifier anew.
train:
    cargo run --release -- eval train --data tools/classifier/sentences.tsv \
      --sentences tests/quality/sentences.jsonl --output assets/extraction/classifier.tsv

# What authentication costs, as ratios within one run.
bench:
    cargo bench --bench authentication

# What storing and searching cost as a person's memories grow.
bench-memories:
    cargo bench --bench memories

# What the service costs over a bare tonic server, and REST over gRPC.
bench-overhead *args:
    cargo bench --bench overhead -- {{args}}

# What requests and starts cost as memories and people grow: sizes, persons, startup.
bench-growth *args:
    cargo bench --bench growth -- {{args}}

# Kill, cut and crash under writers, round after round, and count what is lost, doubled or leaked.
faults rounds="200":
    MEMSYNC_TEST_FAULT_ROUNDS={{rounds}} cargo test --test it faults::rounds -- --nocapture --test-threads 1

# Whether resident memory stays where it is under load.
soak minutes="30":
    MEMSYNC_SOAK_MINUTES={{minutes}} cargo bench --bench soak

# Put load on a running server.
load *args:
    cargo run --release --example load -- {{args}}

# The binary to hand out.
dist:
    cargo build --profile dist
