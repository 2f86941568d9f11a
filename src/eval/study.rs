//! Studies of the ranking over conversations that are stored already: what each of its steps adds, and how it does on a
//! conversation that its weights were not fitted on.

use serde::Serialize;

use super::fit::{self, Ranking};
use super::{CategoryFigures, Conversation, DEPTH, Figures, Question, owner, search_request};
use crate::error::Result;
use crate::model::AccountId;
use crate::search::features::Features;
use crate::search::rank::{self, Weights};
use crate::search::{Hit, PersonIndex, Query};
use crate::services::MemoryService;

/// What is tried for the weights that no gradient reaches.
const CONTEXTS: [f32; 3] = [0.2, 0.4, 0.6];
const REPEATS: [f32; 3] = [0.0, 0.15, 0.3];
const SAME_TURNS: [f32; 2] = [0.2, 0.4];

/// A way to rank, and how it does on the answerable questions.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What it adds to the step before.
    pub name: &'static str,
    /// Means over all answerable questions.
    pub figures: CategoryFigures,
    /// Probability that an answerable question's best score beats an unanswerable one's.
    pub auroc: Option<f64>,
}

/// What fitting and judging by turns gave.
#[derive(Clone, Debug, Serialize)]
pub struct LeaveOneOut {
    /// Figures of each conversation under weights fitted on the others, all together; by category, then of all answerable
    /// questions.
    pub figures: Vec<CategoryFigures>,
    /// The same of all answerable questions for each conversation.
    pub by_conversation: Vec<(String, CategoryFigures)>,
    /// Weights fitted on all conversations, by name.
    pub fitted: Vec<(&'static str, f32)>,
}

/// Stored conversations and where they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub(super) memories: &'a MemoryService,
    pub(super) account_id: &'a AccountId,
    pub(super) conversations: &'a [Conversation],
}

impl Stored<'_> {
    /// The ranking built up step by step.
    pub(super) async fn ablation(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        let all: Vec<&Conversation> = self.conversations.iter().collect();
        for (name, weights) in ways() {
            let figures = self.figures(&all, &weights).await?;
            steps.extend(figures.by_category().pop().map(|means| Step {
                name,
                figures: means,
                auroc: figures.auroc(),
            }));
        }
        Ok(steps)
    }

    /// Each conversation under weights that were fitted on the others. `progress` is told of each.
    pub(super) async fn leave_one_out(&self, mut progress: impl FnMut(&str)) -> Result<LeaveOneOut> {
        let mut figures = Figures::default();
        let mut by_conversation = Vec::new();
        for left_out in self.conversations {
            progress(&left_out.id);
            let others: Vec<&Conversation> = self.conversations.iter().filter(|c| c.id != left_out.id).collect();
            let weights = self.fit(&others).await?;
            let own = self.figures(&[left_out], &weights).await?;
            by_conversation.extend(own.by_category().pop().map(|means| (left_out.id.clone(), means)));
            figures.merge(own);
        }
        let fitted = self.fit(&self.conversations.iter().collect::<Vec<_>>()).await?;
        let mut named: Vec<(&str, f32)> = Features::NAMES
            .into_iter()
            .zip(fitted.feature_weights.values())
            .collect();
        named.extend([
            ("context", fitted.context),
            ("repeat", fitted.repeat),
            ("same_turn", fitted.same_turn),
        ]);
        Ok(LeaveOneOut {
            figures: figures.by_category(),
            by_conversation,
            fitted: named,
        })
    }

    async fn fit(&self, conversations: &[&Conversation]) -> Result<Weights> {
        let mut best: Option<(f64, Weights)> = None;
        for context in CONTEXTS {
            let start = Weights {
                context,
                ..Weights::CHOSEN
            };
            let feature_weights = fit::weights_of(&self.rankings(conversations, &start).await?);
            for (repeat, same_turn) in REPEATS.into_iter().flat_map(|r| SAME_TURNS.map(|s| (r, s))) {
                let weights = Weights {
                    feature_weights,
                    context,
                    repeat,
                    same_turn,
                    ..Weights::CHOSEN
                };
                let figures = self.figures(conversations, &weights).await?;
                let recall = figures.by_category().pop().map_or(0.0, |all| all.recall[1]);
                if best.as_ref().is_none_or(|(most, _)| recall > *most) {
                    best = Some((recall, weights));
                }
            }
        }
        Ok(best.map_or(Weights::CHOSEN, |(_, weights)| weights))
    }

    /// The candidates of every answerable question.
    async fn rankings(&self, conversations: &[&Conversation], weights: &Weights) -> Result<Vec<Ranking>> {
        let mut rankings = Vec::new();
        for (conversation, question) in answerable(conversations) {
            let (weights, evidence) = (weights.clone(), question.evidence.clone());
            let request = search_request(&owner(self.account_id, conversation), question, DEPTH);
            let ranking = self.memories.with_query(request, move |index, query| {
                let read = rank::read(query);
                let (candidates, _) = rank::candidates(index, query, &read, &weights);
                let candidates = candidates.iter().map(|candidate| {
                    let sources = index.memory(candidate.slot).map(|memory| &memory.sources);
                    let mut sources = sources.into_iter().flatten();
                    let is_evidence = sources.any(|source| evidence.contains(&source.message_id));
                    (candidate.features.values(), is_evidence)
                });
                Ranking {
                    candidates: candidates.collect(),
                }
            });
            rankings.push(ranking.await?);
        }
        Ok(rankings)
    }

    async fn figures(&self, conversations: &[&Conversation], weights: &Weights) -> Result<Figures> {
        let mut figures = Figures::default();
        for conversation in conversations {
            for question in &conversation.questions {
                let weights = weights.clone();
                let request = search_request(&owner(self.account_id, conversation), question, DEPTH);
                let rank = move |index: &PersonIndex, query: &Query<'_>| rank::by_relevance(index, query, &weights);
                let hits: Vec<Hit> = self.memories.with_query(request, rank).await?;
                figures.add_hits(question, &hits);
            }
        }
        Ok(figures)
    }
}

fn answerable<'a>(conversations: &'a [&Conversation]) -> impl Iterator<Item = (&'a Conversation, &'a Question)> {
    conversations.iter().flat_map(|conversation| {
        let questions = conversation.questions.iter().filter(|q| q.is_answerable());
        questions.map(move |question| (*conversation, question))
    })
}

/// The chosen weights, a group at a time.
fn ways() -> Vec<(&'static str, Weights)> {
    let chosen = Weights::CHOSEN;
    let all = chosen.feature_weights;
    let mut now = Weights {
        feature_weights: Features {
            dense: all.dense,
            ..Features::default()
        },
        context: 0.0,
        repeat: 0.0,
        same_turn: 0.0,
        ..chosen
    };
    let mut ways = vec![("vectors", now.clone())];
    let mut add = |name, change: &dyn Fn(&mut Weights)| {
        change(&mut now);
        ways.push((name, now.clone()));
    };
    add("BM25", &|w| w.feature_weights.lexical = all.lexical);
    add("the words before", &|w| w.context = chosen.context);
    add("neighbouring turns", &|w| {
        (w.feature_weights.before, w.feature_weights.after) = (all.before, all.after);
    });
    add("the conversation", &|w| w.feature_weights.thread = all.thread);
    add("names", &|w| {
        (w.feature_weights.subject, w.feature_weights.mention) = (all.subject, all.mention)
    });
    add("phrases", &|w| w.feature_weights.phrase = all.phrase);
    add("attributes", &|w| w.feature_weights.attribute = all.attribute);
    add("dates", &|w| {
        (
            w.feature_weights.date,
            w.feature_weights.dated,
            w.feature_weights.recency,
        ) = (all.date, all.dated, all.recency);
    });
    add("importance and length", &|w| {
        (w.feature_weights.importance, w.feature_weights.length) = (all.importance, all.length);
    });
    add("folding of repeats", &|w| {
        (w.repeat, w.same_turn) = (chosen.repeat, chosen.same_turn)
    });
    ways
}
