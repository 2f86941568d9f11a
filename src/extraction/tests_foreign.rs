//! Other languages: what is kept stays whole, and gets its kind, category and time. Sent on Wednesday 14 October 2026.

use chrono::{TimeZone, Utc};

use super::{CandidateFact, Turn, extract};
use crate::model::Role;
use crate::providers::StaticTable;

fn told(text: &str) -> Vec<CandidateFact> {
    let turn = Turn {
        role: Role::User,
        name: None,
        content: text,
        sent_at: Utc.with_ymd_and_hms(2026, 10, 14, 9, 0, 0).unwrap().fixed_offset(),
    };
    extract(&[turn], &|text| StaticTable::built_in().encode(text)).facts
}

/// "semantic career", "episodic travel 2026-05-03 day", "semantic health private"; "nothing" where no fact is left.
fn read(text: &str) -> String {
    let facts = told(text);
    let Some(fact) = facts.first() else {
        return "nothing".to_owned();
    };
    if facts.len() > 1 || fact.text.trim_end_matches(['.', '。']) != text.trim_end_matches(['.', '。']) {
        return format!("{:?}", facts.iter().map(|fact| &fact.text).collect::<Vec<_>>());
    }
    let mut out = format!("{} {}", fact.memory_type.as_str(), fact.categories[0].as_str());
    if fact.categories[1..].contains(&crate::model::Category::Private) {
        out.push_str(" private");
    }
    if let (Some(time), Some(precision)) = (fact.event_time, fact.event_time_precision) {
        out.push_str(&format!(" {} {precision:?}", time.date_naive()).to_lowercase());
    }
    out
}

fn check(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, want)| (text, want, read(text)))
        .filter(|(_, want, got)| **want != got)
        .map(|(text, want, got)| format!("{text}\n    wanted {want}, got {got}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lasting_facts_are_kept_whole() {
    check(&[
        ("Ich arbeite als Gärtnerin in Kassel.", "semantic career"),
        ("Ich esse kein Fleisch, ich bin Vegetarier.", "semantic health"),
        ("Am Wochenende gehe ich wandern.", "semantic interests"),
        ("Meine Schwester heißt Lena.", "semantic relationships"),
        ("Soy enfermera.", "semantic career"),
        ("No me gusta el fútbol.", "semantic interests"),
        ("Mi hermano vive con dos gatos.", "semantic relationships"),
        ("Estudio medicina en la universidad.", "semantic learning"),
        ("Mon fils s'appelle Hugo.", "semantic relationships"),
        ("Je ne fume plus.", "semantic health"),
        ("Je travaille dans une boulangerie à Lille.", "semantic career"),
        ("J'adore la randonnée.", "semantic interests"),
        ("Moro em Braga com a minha mãe.", "semantic relationships"),
        ("Não gosto de café.", "semantic interests"),
        ("Trabalho como motorista.", "semantic career"),
        ("Abito a Torino e parlo tedesco.", "semantic identity"),
        ("Sono allergica alle noci.", "semantic health"),
        ("Mia moglie si chiama Elena.", "semantic relationships"),
        ("Ik woon in Utrecht.", "semantic identity"),
        ("Ik werk niet meer op kantoor.", "semantic career"),
        ("Ik hou van fietsen.", "semantic interests"),
        ("Mam dwóch synów.", "semantic relationships"),
        ("Pracuję jako kucharz w Gdyni.", "semantic career"),
        ("Меня зовут Вера.", "semantic identity"),
        ("Я работаю инженером на заводе.", "semantic career"),
        ("У меня две кошки.", "semantic relationships"),
        ("Я не ем мясо, я веган.", "semantic health"),
        ("我在上海的一家公司工作。", "semantic career"),
        ("我对花生过敏。", "semantic health"),
        ("我不喜欢跑步。", "semantic interests"),
        ("私は京都に住んでいます。", "semantic identity"),
        ("猫を二匹飼っています。", "semantic relationships"),
        ("趣味はギターです。", "semantic interests"),
        ("저는 부산에 살아요.", "semantic identity"),
        ("저는 간호사로 일해요.", "semantic career"),
        ("मैं दिल्ली में रहता हूँ", "semantic identity"),
        ("मेरी बेटी का नाम आशा है।", "semantic relationships"),
        ("मुझे संगीत पसंद है।", "semantic interests"),
        ("أعيش في عمان.", "semantic identity"),
        ("أعمل مهندسة في شركة.", "semantic career"),
        ("لدي حساسية من الفول السوداني.", "semantic health"),
        ("Ich stehe jeden Morgen um fünf auf.", "semantic productivity"),
        ("Odio madrugar.", "semantic interests"),
        ("No bebo alcohol.", "semantic health"),
        ("我不吃辣。", "semantic health"),
        ("Mi cumpleaños es el 3 de mayo.", "semantic identity"),
    ]);
}

#[test]
fn what_has_a_time_is_episodic_and_dated() {
    check(&[
        ("Am 3. Mai fliege ich nach Lissabon.", "episodic travel 2027-05-03 day"),
        (
            "Gestern habe ich meinen Bruder getroffen.",
            "episodic relationships 2026-10-13 day",
        ),
        ("Ich habe am Montag einen Arzttermin.", "episodic health 2026-10-19 day"),
        (
            "Vor drei Jahren bin ich nach Wien gezogen.",
            "episodic travel 2023-01-01 year",
        ),
        ("Ich arbeite seit 2019 als Lehrer.", "semantic career"),
        (
            "Wir haben 2021 in Hamburg geheiratet.",
            "episodic relationships 2021-01-01 year",
        ),
        ("El 3 de mayo tengo un examen.", "episodic learning 2027-05-03 day"),
        ("Ayer toqué la guitarra en un bar.", "episodic interests 2026-10-13 day"),
        ("Nos mudamos a Quito en marzo.", "episodic travel 2026-03-01 month"),
        ("Hace dos semanas empecé un curso.", "episodic learning 2026-09-28 week"),
        ("Demain je pars en vacances.", "episodic travel 2026-10-15 day"),
        ("Je suis allé au concert samedi.", "episodic interests 2026-10-10 day"),
        (
            "No sábado vou ao casamento da minha prima.",
            "episodic relationships 2026-10-17 day",
        ),
        ("Il mese scorso ho cambiato lavoro.", "episodic career 2026-09-01 month"),
        ("Volgende week heb ik een examen.", "episodic learning 2026-10-19 week"),
        ("Wczoraj kupiłem mieszkanie.", "episodic finance 2026-10-13 day"),
        ("Завтра я лечу в Казань.", "episodic travel 2026-10-15 day"),
        ("Я переехал в Пермь в 2020 году.", "episodic travel 2020-01-01 year"),
        ("5月3日我要去旅行。", "episodic travel 2027-05-03 day"),
        ("我昨天买了一套公寓。", "episodic finance 2026-10-13 day"),
        ("来週、大阪へ引っ越します。", "episodic travel 2026-10-19 week"),
        ("5月3日に結婚式があります。", "episodic relationships 2027-05-03 day"),
        ("내일 치과에 가요.", "episodic health 2026-10-15 day"),
        ("غدا سأسافر إلى القاهرة.", "episodic travel 2026-10-15 day"),
        ("15 मार्च को मेरी परीक्षा है।", "episodic learning 2027-03-15 day"),
    ]);
}

#[test]
fn sensitive_facts_are_private() {
    check(&[
        ("Ich habe Diabetes.", "semantic health private"),
        ("Mein Passwort ist Gurke77.", "semantic private"),
        ("Gano 2.400 euros al mes.", "semantic finance private"),
        ("Je suis enceinte.", "semantic health private"),
        ("У меня диабет.", "semantic health private"),
        ("我的密码是 kiwi88。", "semantic private"),
        ("うつ病と診断されました。", "episodic private"),
    ]);
}

#[test]
fn thanks_greetings_questions_and_requests_leave_nothing() {
    for text in [
        "Danke, das hilft!",
        "Vielen Dank!",
        "Kannst du mir ein Rezept geben?",
        "Schreib bitte eine E-Mail an den Vermieter.",
        "Guten Morgen!",
        "Wie wird das Wetter morgen",
        "Gracias, perfecto.",
        "Hola, buenos días.",
        "¿Qué le regalo?",
        "Escribe un poema sobre el mar.",
        "Merci beaucoup, c'est parfait !",
        "Peux-tu traduire cette phrase en anglais ?",
        "Explique-moi la photosynthèse.",
        "Помоги мне с текстом.",
        "Obrigado, valeu!",
        "Me ajuda com o texto, por favor.",
        "Grazie mille!",
        "Puoi riassumere questo articolo?",
        "Dank je wel!",
        "Geef me een recept voor soep.",
        "Dziękuję bardzo!",
        "Спасибо!",
        "Напиши письмо клиенту.",
        "好的，谢谢",
        "帮我写一封邮件。",
        "今天天气怎么样？",
        "ありがとうございます",
        "レシピを教えてください。",
        "감사합니다!",
        "이 문장을 번역해 주세요.",
        "धन्यवाद!",
        "शुक्रिया, बहुत अच्छा।",
        "شكرا جزيلا!",
        "اكتب رسالة إلى العميل.",
    ] {
        assert_eq!(read(text), "nothing", "{text}");
    }
}

#[test]
fn mixed_sentences_stay_whole_in_their_words() {
    for text in ["I live in Berlin und ich liebe Käse.", "shaadi december User hai"] {
        let facts = told(text);
        assert_eq!(facts.iter().map(|fact| fact.text.as_str()).collect::<Vec<_>>(), [text]);
    }
}

#[test]
fn a_request_beside_a_fact_leaves_the_fact() {
    let facts = told("Ich arbeite seit zwölf Jahren als Imkerin. Kannst du mir ein Rezept für Linsensuppe geben?");
    let texts: Vec<&str> = facts.iter().map(|fact| fact.text.as_str()).collect();
    assert_eq!(texts, ["Ich arbeite seit zwölf Jahren als Imkerin."]);
}
