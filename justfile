# The tasks of the project.

# List the tasks.
default:
    @just --list

# Run the quick tests: those that need nothing but cargo, on SQLite, in under a minute once they are built.
quick:
    tests/quick

# Run all tests.
test *args:
    tests/run {{args}}

# Attack a real server: unfinished bodies, silent connections, amplification, names, keys, sign-in, redirects, traces.
attack:
    tests/run attack:: access::names keys::bounds dashboard:: tls:: clients_oauth:: logs:: cli::existing \
      settings::starting memories::erasing memories::times memories::writing memories::quotas

# Run the tests of the local embedder, which download a model.
test-local *args:
    tests/run-local-embedder {{args}}

# Format.
fmt:
    cargo fmt

# Run all checks other than the tests.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --all-targets --features local-embedder -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
    cargo machete
    cargo deny check bans licenses sources
    cargo deny check advisories

# Lint the protos, and compare them with the main branch.
proto:
    buf lint
    buf breaking --against '.git#branch=main'

# Measure recall on a data set in LoCoMo's shape, and extraction on the labelled sentences.
eval data="tests/quality/conversations.json":
    cargo run --release -- eval recall --ablation --leave-one-out --data {{data}}
    cargo run --release -- eval extract --data tests/quality/sentences.jsonl
    cargo run --release -- eval facts --data tests/quality/facts/open.jsonl
    cargo run --release -- eval facts --data tests/quality/facts/blind.jsonl

# Retrain the extractor's classifier.
train:
    cargo run --release -- eval train --data tools/classifier/sentences.tsv \
      --sentences tests/quality/sentences.jsonl --output assets/extraction/classifier.tsv

# Measure what authentication costs, as ratios within one run.
bench:
    cargo bench --bench authentication

# Measure what storing and searching cost as a person's memories grow.
bench-memories:
    cargo bench --bench memories

# Measure what the service costs over a bare tonic server, and REST compared with gRPC.
bench-overhead *args:
    cargo bench --bench overhead -- {{args}}

# Measure what requests and starts cost as memories and people grow: sizes, persons, startup.
bench-growth *args:
    cargo bench --bench growth -- {{args}}

# Kill, cut off and crash servers during writes, round after round, and count what is lost, doubled or leaked.
faults rounds="200":
    MEMSYNC_TEST_FAULT_ROUNDS={{rounds}} cargo test --test it faults::rounds -- --nocapture --test-threads 1

# Check that resident memory stays stable under load.
soak minutes="30":
    MEMSYNC_SOAK_MINUTES={{minutes}} cargo bench --bench soak

# Run a load test against a running server.
load *args:
    cargo run --release --example load -- {{args}}

# Build the binary for distribution.
dist:
    cargo build --profile dist
