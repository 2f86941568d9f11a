//! A sentence into clauses that hold one fact each, by its tree.
//!
//! "I'm 34, an architect and live in Porto" → "I'm 34", "I'm an architect", "I live in Porto". `clauses.rs` finds the
//! clauses, `nouns.rs` what noun phrases tell ("my wife Hana"), `fragment.rs` completes what has no verb, and `render.rs`
//! puts each into the third person. Which of them are worth keeping is judged by `fact.rs`.

pub(super) mod answer;
mod clauses;
mod fragment;
mod hints;
mod instruction;
mod nouns;
mod people;
mod render;
mod sentence;
mod words;

pub(super) use clauses::{Clause, Fate, are_whole_clauses, clauses};
pub(super) use instruction::{Instruction, instruction};
pub(super) use people::Mentioned;
pub(super) use render::{Speaker, render};
pub(crate) use sentence::ParsedSentence;
