//! How sentences are cut.

use super::*;

fn words(text: &str) -> Vec<&str> {
    tokenize(text).into_iter().map(|range| &text[range]).collect()
}

fn assert_words(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(words(text).join(" "), *expected);
    }
}

#[test]
fn clitics_and_marks_stand_alone() {
    assert_words(&[
        ("I don't, can't; won't!", "I do n't , ca n't ; wo n't !"),
        ("We’ve got Anna's dogs' food.", "We ’ve got Anna 's dogs ' food ."),
        ("She'd've said \"no\"...", "She 'd 've said \" no \" ..."),
        ("it's 5 o'clock, cookin' for 'em", "it 's 5 o'clock , cookin' for 'em"),
        ("really?!! (yes)", "really ?!! ( yes )"),
        ("N'T isn'T", "N'T is n'T"),
    ]);
}

#[test]
fn chat_is_cut_like_the_treebanks_own() {
    assert_words(&[
        ("im gonna go bc i dont care", "i m gon na go bc i do nt care"),
        ("its raining, its name", "it s raining , its name"),
        ("dinner w/ my bf, w/o kids w/him", "dinner w/ my bf , w/o kids w/ him"),
        ("ill call u, id love 2", "i ll call u , i d love 2"),
        ("my moms car", "my moms car"),
        ("lol :) i <3 it :D", "lol :) i <3 it :D"),
    ]);
}

#[test]
fn numbers_keep_their_parts_and_lose_their_units() {
    assert_words(&[
        (
            "at 7:30pm on 11/28/2000 for $1,200.50.",
            "at 7:30 pm on 11/28/2000 for $ 1,200.50 .",
        ),
        (
            "5km, 20th, 90s, 30%, 10-15, 713-853-3989",
            "5 km , 20th , 90s , 30 % , 10 - 15 , 713-853-3989",
        ),
        ("v2.0 4x4 3d 80kg", "v2 . 0 4x4 3d 80 kg"),
    ]);
}

#[test]
fn names_and_addresses_stay_whole() {
    assert_words(&[
        ("see https://a.b/c?d=e, me@x.org!", "see https://a.b/c?d=e , me@x.org !"),
        (
            "Dr. Lee, e.g. in the U.S. at 5 p.m.",
            "Dr. Lee , e.g. in the U.S. at 5 p.m.",
        ),
        (
            "J. Smith at AT&T uses Node.js and C++.",
            "J. Smith at AT&T uses Node.js and C++ .",
        ),
        (
            "done.Then and/or well-known e-mail",
            "done . Then and / or well - known e-mail",
        ),
        (
            "@sam likes this etc. and tea, etc.",
            "@sam likes this etc. and tea , etc .",
        ),
    ]);
}

#[test]
fn emoji_are_one_word_each() {
    assert_words(&[("hi👍🏽🎉 👨‍👩‍👧 🇩🇪❤️", "hi 👍🏽 🎉 👨‍👩‍👧 🇩🇪 ❤️")]);
}

#[test]
fn huge_chunks_are_cut_in_time() {
    let started = std::time::Instant::now();
    for part in [
        "x", "e-", "ab.", "!,", "(", "a'", "1-", "n't", "🇩", "\u{200d}", "a@", "é",
    ] {
        let text = part.repeat(10_000);
        let words = tokenize(&text);
        assert!(words.iter().all(|word| word.len() <= LONGEST_BYTES));
        assert_eq!(words.iter().map(ExactSizeIterator::len).sum::<usize>(), text.len());
    }
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn every_byte_but_white_space_is_in_one_word() {
    let odd = [
        "",
        " \t\n",
        "'",
        "''",
        "n't",
        "'s",
        "a'",
        "@",
        "w/",
        "1-",
        "1.",
        ".1",
        "-",
        "\u{200d}\u{200d}",
        "🇩",
        "é'é",
        "İ'm",
        "你好。",
        "www.",
        "http://",
        "a@b",
        "a@b.",
        "\u{0}\u{1}",
        "x\u{301}'s",
        "I.",
        "I.I.I",
        "a.b'c",
        "1'1",
        "``x''",
        "’’’t",
        "n’t’t’t",
        "ı'll",
        "ﬀ-ﬀ",
        "e-",
        "e-e-e",
        "&&a&b&",
        "c#c++c",
        ":'(:'(",
        "u.s.a.'s",
    ];
    for text in odd {
        let mut end = 0;
        for range in tokenize(text) {
            assert!(range.start >= end && range.end > range.start, "{text:?}");
            assert!(text[end..range.start].trim().is_empty(), "{text:?}");
            end = range.end;
        }
        assert!(text[end..].trim().is_empty(), "{text:?}");
    }
}
