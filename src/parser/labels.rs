//! The labels of Universal Dependencies that the parser gives: tags, features, relations, and scripts for lemmas.

use crate::inference::TensorError;

/// A part of speech; Universal Dependencies says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the standard's own")]
pub enum Upos {
    Adj,
    Adp,
    Adv,
    Aux,
    Cconj,
    Det,
    Intj,
    Noun,
    Num,
    Part,
    Pron,
    Propn,
    Punct,
    Sconj,
    Sym,
    Verb,
    X,
}

impl Upos {
    const NAMES: [(&str, Self); 17] = [
        ("ADJ", Self::Adj),
        ("ADP", Self::Adp),
        ("ADV", Self::Adv),
        ("AUX", Self::Aux),
        ("CCONJ", Self::Cconj),
        ("DET", Self::Det),
        ("INTJ", Self::Intj),
        ("NOUN", Self::Noun),
        ("NUM", Self::Num),
        ("PART", Self::Part),
        ("PRON", Self::Pron),
        ("PROPN", Self::Propn),
        ("PUNCT", Self::Punct),
        ("SCONJ", Self::Sconj),
        ("SYM", Self::Sym),
        ("VERB", Self::Verb),
        ("X", Self::X),
    ];

    /// The name in treebanks, such as `PROPN`.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, upos)| *upos == self);
        found.map_or("X", |(name, _)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, upos)| *upos)
    }
}

/// A word's features, such as `Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin`.
///
/// Of Universal Dependencies, the parser gives Case, Gender, Mood, Number, Person, Polarity, Poss, PronType, Reflex,
/// Tense, VerbForm and Voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features(&'static str);

impl Features {
    /// The value of a feature, such as `Past` for `Tense`.
    pub fn get(self, name: &str) -> Option<&'static str> {
        let mut pairs = self.0.split('|').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether a feature has this value.
    pub fn has(self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    /// All features as treebanks write them; `_` for none.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Default for Features {
    fn default() -> Self {
        Self("_")
    }
}

/// How a word relates to its head, such as `nsubj` or `nsubj:pass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation(&'static str);

impl Relation {
    /// Of a sentence's main word.
    pub const ROOT: Self = Self("root");
    /// Of a subject.
    pub const NSUBJ: Self = Self("nsubj");
    /// Of a name beside what it names.
    pub const APPOS: Self = Self("appos");
    /// Of a verb that only links.
    pub const COP: Self = Self("cop");
    /// Of a clause that stands beside another.
    pub const PARATAXIS: Self = Self("parataxis");

    /// The name with its subtype, such as `acl:relcl`.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The name without subtype, such as `acl`.
    pub fn universal(self) -> &'static str {
        self.0.split_once(':').map_or(self.0, |(universal, _)| universal)
    }

    /// Whether it is this relation: with a subtype exactly this, without one any subtype of it.
    pub fn is(self, name: &str) -> bool {
        self.0 == name || self.universal() == name
    }
}

/// How a word becomes its lemma: so many characters are cut from the end, then the ending is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LemmaScript {
    cut: usize,
    ending: &'static str,
}

impl LemmaScript {
    fn parse(script: &'static str) -> Option<Self> {
        let (cut, ending) = script.split_once('+')?;
        Some(Self {
            cut: cut.parse().ok()?,
            ending,
        })
    }

    /// The lemma, in lower case. A script that cuts more than there is leaves the word as it is.
    pub(super) fn apply(self, form: &str) -> String {
        let form = form.to_lowercase();
        let characters = form.chars().count();
        if self.cut > characters || self.cut == characters && self.ending.is_empty() {
            return form;
        }
        form.chars()
            .take(characters - self.cut)
            .chain(self.ending.chars())
            .collect()
    }
}

/// The vocabularies; a label's place is its number in the network.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) upos: Vec<Upos>,
    pub(super) features: Vec<Features>,
    pub(super) relations: Vec<Relation>,
    pub(super) lemmas: Vec<LemmaScript>,
}

impl Labels {
    /// A line for each label: its kind, a tab, the label.
    pub(super) fn parse(file: &'static str) -> Result<Self, TensorError> {
        let mut labels = Self {
            upos: Vec::new(),
            features: Vec::new(),
            relations: Vec::new(),
            lemmas: Vec::new(),
        };
        for line in file.lines() {
            let unknown = || TensorError::new(format!("no label: {line}"));
            let (kind, label) = line.split_once('\t').ok_or_else(unknown)?;
            match kind {
                "upos" => labels.upos.push(Upos::parse(label).ok_or_else(unknown)?),
                "features" => labels.features.push(Features(label)),
                "relation" => labels.relations.push(Relation(label)),
                "lemma" => labels.lemmas.push(LemmaScript::parse(label).ok_or_else(unknown)?),
                _ => return Err(unknown()),
            }
        }
        Ok(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_found_by_name() {
        let features = Features("Mood=Ind|Tense=Past");
        assert_eq!(features.get("Tense"), Some("Past"));
        assert!(features.has("Mood", "Ind") && !features.has("Ind", "Mood") && features.get("Person").is_none());
        assert_eq!(Features("_").get("_"), None);
    }

    #[test]
    fn relations_know_their_universal_part() {
        let relation = Relation("nsubj:pass");
        assert!(relation.is("nsubj") && relation.is("nsubj:pass") && !relation.is("nsubj:outer"));
        assert!(!Relation("nsubj").is("nsubj:pass"));
    }

    #[test]
    fn lemma_scripts_cut_and_append() {
        let lemma = |form, script| LemmaScript::parse(script).unwrap().apply(form);
        assert_eq!(lemma("Cities", "3+y"), "city");
        assert_eq!(lemma("went", "4+go"), "go");
        assert_eq!(lemma("élèves", "1+"), "élève");
        assert_eq!(lemma("is", "5+x"), "is");
        assert_eq!(lemma("s", "1+"), "s");
        assert_eq!(LemmaScript::parse("x"), None);
    }

    #[test]
    fn tags_have_their_treebank_names() {
        for (name, upos) in Upos::NAMES {
            assert_eq!((Upos::parse(name), upos.name()), (Some(upos), name));
        }
    }

    #[test]
    fn odd_label_files_are_refused() {
        assert!(Labels::parse("upos\tNOUN\nlemma\t0+").is_ok());
        for file in ["upos\tNONE", "relation", "lemma\tx", "other\tx"] {
            assert!(Labels::parse(file).is_err());
        }
    }
}
