//! The parser as a whole.

use std::sync::LazyLock;
use std::time::Instant;

use super::*;
use crate::providers::StaticTable;

/// What the training scripts' own network gives for sentences of ours: form, tag, features, lemma, head, relation.
static REFERENCE: &str = include_str!("../../assets/parser/reference.tsv");

static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::load(StaticTable::built_in()).unwrap());

/// A sentence of a reference: its words, joined by blanks; where they are; their lines without the form.
type Reference<'a> = (String, Vec<Range<usize>>, Vec<&'a str>);

fn reference_sentences(file: &str) -> Vec<Reference<'_>> {
    let blocks = file.split("\n\n").filter(|block| !block.trim().is_empty());
    let sentence = |block| {
        let (mut text, mut ranges, mut lines) = (String::new(), Vec::new(), Vec::new());
        for line in str::lines(block).filter(|line| !line.is_empty()) {
            let (form, rest) = line.split_once('\t').unwrap();
            ranges.push(text.len()..text.len() + form.len());
            text = text + form + " ";
            lines.push(rest);
        }
        (text, ranges, lines)
    };
    blocks.map(sentence).collect()
}

fn line_of(word: &Word) -> String {
    let (upos, features, lemma) = (word.upos.name(), word.features.as_str(), &word.lemma);
    let head = word.head.map_or(0, |head| head + 1);
    format!("{upos}\t{features}\t{lemma}\t{head}\t{}", word.relation.name())
}

/// How many words there are, and those that differ.
fn differences(file: &str) -> (usize, Vec<String>) {
    let reference = reference_sentences(file);
    let sentences: Vec<_> = reference
        .iter()
        .map(|(text, ranges, _)| Sentence::with_words(text, ranges.iter().cloned()))
        .collect();
    let (mut count, mut different) = (0, Vec::new());
    for ((text, _, lines), tree) in reference.iter().zip(PARSER.parse_batch(&sentences)) {
        assert_eq!(tree.words.len(), lines.len(), "{text}");
        for (word, line) in tree.words.iter().zip(lines) {
            count += 1;
            if line_of(word) != *line {
                different.push(format!("{text}: {} is not {line}", line_of(word)));
            }
        }
    }
    (count, different)
}

fn parse(text: &str) -> Tree {
    let tree = PARSER.parse_batch(&[Sentence::new(text)]).pop().unwrap();
    assert_is_tree(&tree, text);
    tree
}

fn assert_is_tree(tree: &Tree, text: &str) {
    let roots = tree.words.iter().filter(|word| word.head.is_none()).count();
    assert_eq!(roots, usize::from(!tree.words.is_empty()), "{text:?}");
    for (place, word) in tree.words.iter().enumerate() {
        assert!(
            text.get(word.range.clone()).is_some_and(|form| !form.is_empty()),
            "{text:?}"
        );
        assert_eq!(word.head.is_none(), word.relation == Relation::ROOT, "{text:?}");
        let (mut at, mut steps) = (place, 0);
        while let Some(head) = tree.words[at].head {
            (at, steps) = (head, steps + 1);
            assert!(steps <= tree.words.len(), "a cycle: {text:?}");
        }
    }
}

#[test]
fn trees_are_those_of_the_training_scripts() {
    let (count, different) = differences(REFERENCE);
    assert!(count > 400);
    // Sums in another order may tip a close call.
    assert!(different.len() * 200 <= count, "{different:#?}");
}

#[test]
fn a_sentence_gets_its_tree() {
    let text = "My sister lives in Berlin.";
    let tree = parse(text);
    let root = tree.root().unwrap();
    assert_eq!(tree.words[root].lemma, "live");
    assert!(tree.words[root].features.has("Person", "3"));
    let subject = tree
        .children(root)
        .find(|&child| tree.words[child].relation.is("nsubj"))
        .unwrap();
    assert_eq!(&text[tree.words[subject].range.clone()], "sister");
    assert_eq!(tree.words[4].upos, Upos::Propn);
}

#[test]
fn chat_is_read_like_careful_writing() {
    for (text, root) in [
        ("i dont like mushrooms", "like"),
        ("im allergic to cats", "allergic"),
        ("my bf works at a bank", "work"),
    ] {
        let tree = parse(text);
        assert_eq!(tree.words[tree.root().unwrap()].lemma, root, "{text}");
    }
}

#[test]
fn sentences_of_a_batch_do_not_touch_each_other() {
    let texts = ["I like tea.", "", "she plays the cello in an orchestra", "ok", "   "];
    let sentences: Vec<_> = texts.iter().map(|text| Sentence::new(text)).collect();
    let together = PARSER.parse_batch(&sentences);
    assert_eq!(
        together,
        texts.map(|text| PARSER.parse_batch(&[Sentence::new(text)]).pop().unwrap())
    );
    assert!(PARSER.parse_batch(&[]).is_empty());
    assert_eq!(together[1], Tree::default());
}

#[test]
fn large_batches_and_long_sentences_are_cut() {
    let long = "the dog saw the cat and ".repeat(300);
    assert_eq!(parse(&long).words.len(), 1_800);
    let many = vec![Sentence::new("I like tea."); LARGEST_BATCH];
    let trees = PARSER.parse_batch(&many);
    assert!(trees.iter().all(|tree| *tree == trees[0]) && trees.len() == many.len());
}

#[test]
fn garbage_gets_a_tree_too() {
    let long_word = "x".repeat(100_000);
    let garbage = [
        "\u{0}\u{1}\u{7f}",
        "((((((((",
        "?!?!?!",
        "'''''",
        "你好世界",
        "👨‍👩‍👧🏳️‍🌈 e\u{301}\u{301}\u{301}",
        "\u{202e}abc\u{feff}",
        "<script>alert(1)</script>",
        "a/b/c/d--e__f",
        &long_word,
    ];
    for text in garbage {
        parse(text);
    }
    let unruly = Sentence::with_words("é", [0..1, 0..2, 1..2, 5..9]);
    assert_eq!(unruly.len(), 1);
    assert_eq!((unruly.form(0), unruly.form(7)), ("é", ""));
}

/// `MEMSYNC_TREES` is a file that `tools/parser/evaluate.py --write` made from a treebank.
#[test]
#[ignore = "needs a treebank"]
fn trees_of_a_treebank_are_those_of_the_training_scripts() {
    let file = std::fs::read_to_string(std::env::var("MEMSYNC_TREES").unwrap()).unwrap();
    let (count, different) = differences(&file);
    println!("{} of {count} words differ", different.len());
    assert!(different.len() * 1_000 <= count, "{different:#?}");
}

/// `MEMSYNC_TREEBANK` is a CoNLL-U file with `# text`. Prints how many words the tokenizer finds.
#[test]
#[ignore = "needs a treebank"]
fn words_are_those_of_a_treebank() {
    let file = std::fs::read_to_string(std::env::var("MEMSYNC_TREEBANK").unwrap()).unwrap();
    let (mut found, mut expected, mut right) = (0, 0, 0);
    let mut missed = HashMap::new();
    for block in file.split("\n\n") {
        let Some(text) = block.lines().find_map(|line| line.strip_prefix("# text = ")) else {
            continue;
        };
        let (mut words, mut at) = (Vec::new(), 0);
        for line in block.lines() {
            let mut columns = line.split('\t');
            if columns.next().is_some_and(|id| id.parse::<usize>().is_ok()) {
                let form = columns.next().unwrap();
                let Some(start) = text[at..].find(form) else { continue };
                words.push(at + start..at + start + form.len());
                at += start + form.len();
            }
        }
        let own = tokenize(text);
        right += own.iter().filter(|word| words.contains(word)).count();
        (found, expected) = (found + own.len(), expected + words.len());
        for word in words.iter().filter(|word| !own.contains(word)) {
            *missed.entry(&text[word.clone()]).or_insert(0) += 1;
        }
    }
    let mut missed: Vec<_> = missed.into_iter().collect();
    missed.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let f1 = 200.0 * f64::from(right as u32) / f64::from((found + expected) as u32);
    println!(
        "words found with F1 {f1:.2}; most missed: {:?}",
        &missed[..missed.len().min(60)]
    );
    assert!(f1 > 97.0);
}

/// Of our sentences, or of those in `MEMSYNC_TREES`.
#[test]
#[ignore = "measures"]
fn speed() {
    let file = std::env::var("MEMSYNC_TREES").map(|path| std::fs::read_to_string(path).unwrap());
    let sentences: Vec<_> = reference_sentences(file.as_deref().unwrap_or(REFERENCE))
        .into_iter()
        .filter(|(_, ranges, _)| (13..=17).contains(&ranges.len()))
        .map(|(text, _, _)| text)
        .collect();
    let batch: Vec<_> = sentences
        .iter()
        .cycle()
        .take(30)
        .map(|text| Sentence::new(text))
        .collect();
    let words: usize = batch.iter().map(Sentence::len).sum();
    let best = |run: &dyn Fn()| {
        let times = (0..50).map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        });
        let mut times: Vec<f64> = times.collect();
        times.sort_by(f64::total_cmp);
        (times[0], times[times.len() / 2])
    };
    let together = best(&|| drop(PARSER.parse_batch(&batch)));
    let singly = best(&|| {
        batch
            .iter()
            .for_each(|one| drop(PARSER.parse_batch(std::slice::from_ref(one))))
    });
    let loading = best(&|| drop(Parser::load(StaticTable::built_in())));
    println!("30 sentences of {:.1} words", words as f64 / 30.0);
    for (name, (least, median), count) in [
        ("together", together, 30.0),
        ("singly", singly, 30.0),
        ("loading", loading, 1.0),
    ] {
        println!("{name}: {:.3} ms least, {:.3} ms median", least / count, median / count);
    }
}
