//! What lines say, and above all what they don't: half of the cases must give nothing.

use super::*;

/// The facts of a message.
fn facts(content: &str) -> Vec<String> {
    read(content, 0..content.len(), "User")
        .facts
        .into_iter()
        .map(|fact| fact.text)
        .collect()
}

/// The items of a message, each with its heading.
fn items(content: &str) -> Vec<(&str, Option<&str>)> {
    read(content, 0..content.len(), "User")
        .items
        .into_iter()
        .map(|item| (&content[item.range], item.heading.map(|heading| &content[heading])))
        .collect()
}

fn assert_facts(cases: &[(&str, &[&str])]) {
    for (content, expected) in cases {
        assert_eq!(facts(content), *expected, "{content}");
    }
}

fn assert_no_facts(cases: &[&str]) {
    for content in cases {
        assert_eq!(facts(content), [""; 0], "{content}");
    }
}

#[test]
fn a_key_and_its_value_are_a_sentence() {
    assert_facts(&[
        (
            "Name: Orla Finch\nAge: 44\nOccupation: beekeeper\nTown: Sligo",
            &[
                "User's name is Orla Finch.",
                "User is 44 years old.",
                "User works as a beekeeper.",
                "User lives in Sligo.",
            ],
        ),
        (
            "age - 27\noccupation - urban planner\nhobbies - kites, sudoku",
            &[
                "User is 27 years old.",
                "User works as an urban planner.",
                "User's hobbies include kites.",
                "User's hobbies include sudoku.",
            ],
        ),
        (
            "**Age:** 52\n**Diet**: vegetarian\n__Coffee__: decaf",
            &[
                "User is 52 years old.",
                "User is vegetarian.",
                "User drinks coffee decaf.",
            ],
        ),
        (
            "Pronouns → they/them\nPosition → dental hygienist\nTime zone → UTC+2",
            &[
                "User's pronouns are they/them.",
                "User works as a dental hygienist.",
                "User's time zone is UTC+2.",
            ],
        ),
        (
            "Age：19\r\nHometown：Osaka\r\n",
            &["User is 19 years old.", "User grew up in Osaka."],
        ),
        (
            "Surname: Abebe\nFirst name: Liya\nNationality: Ethiopian",
            &["User's name is Liya Abebe.", "User's nationality is Ethiopian."],
        ),
        (
            "height 174 cm\nweight 66 kg",
            &["User is 174 cm tall.", "User weighs 66 kg."],
        ),
        (
            "Height (cm): 190\nShoe size: 46",
            &["User is 190 cm tall.", "User's shoe size is 46."],
        ),
        ("DOB: 9 June 1988", &["User was born on 9 June 1988."]),
        (
            "Age? 33\nHobbies? chess\nDo you smoke? No",
            &[
                "User is 33 years old.",
                "User's hobbies include chess.",
                "User doesn't smoke.",
            ],
        ),
        (
            "NAME.......Jonas Weil\nAGE........63\nTRADE......cooper",
            &[
                "User's name is Jonas Weil.",
                "User is 63 years old.",
                "User works as a cooper.",
            ],
        ),
        (
            "Fwd: guest form\nName: Orla Finch\nNeeds: a ramp",
            &["User's name is Orla Finch.", "User needs a ramp."],
        ),
        (
            "Current meds: zinc, aspirin",
            &["User takes zinc.", "User takes aspirin."],
        ),
        ("Status: single\nTools: Vim", &["User is single.", "User uses Vim."]),
        ("Marital status: divorced", &["User is divorced."]),
        (
            "Employer: University of Porto\nRole: lab technician",
            &[
                "User works at the University of Porto.",
                "User works as a lab technician.",
            ],
        ),
        (
            "Goal: cycle to work every day\nDislikes: crowds",
            &["User wants to cycle to work every day.", "User dislikes crowds."],
        ),
        (
            "Blood type: A-\nMedication: none",
            &["User's blood type is A-.", "User takes no medication."],
        ),
    ]);
}

#[test]
fn several_pairs_may_stand_in_one_line() {
    assert_facts(&[
        (
            "name: pia | age: 23 | city: bern | pets: none",
            &[
                "User's name is Pia.",
                "User is 23 years old.",
                "User lives in Bern.",
                "User has no pets.",
            ],
        ),
        (
            "Age: 60; Job: retired; Languages: Basque, Spanish and French",
            &[
                "User is 60 years old.",
                "User is retired.",
                "User speaks Basque.",
                "User speaks Spanish.",
                "User speaks French.",
            ],
        ),
        (
            "Age: 35 / Diet: keto",
            &["User is 35 years old.", "User's diet is keto."],
        ),
        (
            "Age: 35, Allergies: latex",
            &["User is 35 years old.", "User is allergic to latex."],
        ),
        (
            "Tea: never. Coffee: black.",
            &["User never drinks tea.", "User drinks coffee black."],
        ),
    ]);
}

#[test]
fn a_table_of_two_columns_or_one_row_is_a_form() {
    assert_facts(&[
        (
            "| Name | Iva Kos |\n|---|---|\n| Age | 38 |",
            &["User's name is Iva Kos.", "User is 38 years old."],
        ),
        (
            "| Name | Age | City |\n| --- | --- | --- |\n| Iva Kos | 38 | Split |",
            &[
                "User's name is Iva Kos.",
                "User is 38 years old.",
                "User lives in Split.",
            ],
        ),
    ]);
}

#[test]
fn keys_outside_the_table_count_inside_a_form_or_behind_my() {
    assert_facts(&[
        (
            "Occupation: cellist\nFavourite opening: Sicilian\nLucky charm: an old key",
            &[
                "User works as a cellist.",
                "User's favourite opening is Sicilian.",
                "User's lucky charm is an old key.",
            ],
        ),
        ("My locker number: 118", &["User's locker number is 118."]),
        ("My reading glasses: +1.5", &["User's reading glasses are +1.5."]),
    ]);
}

#[test]
fn yes_and_no_are_read_by_their_key() {
    assert_facts(&[
        (
            "Age: 48\nSmoker: no\nSwimmer: yes\nDriving licence: no\nVegan: yes",
            &[
                "User is 48 years old.",
                "User doesn't smoke.",
                "User can swim.",
                "User has no driving licence.",
                "User is vegan.",
            ],
        ),
        (
            "kids: none\nallergies: none known\nwife: Mina",
            &[
                "User has no children.",
                "User has no allergies.",
                "User's wife is Mina.",
            ],
        ),
    ]);
}

#[test]
fn a_block_under_one_of_the_writers_own_is_about_them() {
    assert_facts(&[
        (
            "My brother:\nName: Otto\nAge: 17",
            &["User's brother's name is Otto.", "User's brother is 17 years old."],
        ),
        ("For my boss:\nName: Kim Roe", &["User's boss's name is Kim Roe."]),
        (
            "My cat:\nName: Soot\nAge: 9",
            &["User's cat's name is Soot.", "User's cat is 9 years old."],
        ),
    ]);
}

#[test]
fn a_heading_and_its_item_are_a_sentence() {
    assert_facts(&[
        (
            "I'm allergic to:\n- walnuts\n- bee stings",
            &["User is allergic to walnuts.", "User is allergic to bee stings."],
        ),
        (
            "Things I can't stand:\n1. Waiting in line\n2) beetroot",
            &["User can't stand waiting in line.", "User can't stand beetroot."],
        ),
        (
            "## My hobbies\n* pottery\n* bouldering",
            &["User's hobbies include pottery.", "User's hobbies include bouldering."],
        ),
        (
            "My goals for spring:\n• Learn to juggle\n• a tidy attic",
            &[
                "User's goal for spring is to learn to juggle.",
                "User's goal for spring is a tidy attic.",
            ],
        ),
        (
            "My pets:\n- a gecko\n- Biscuit",
            &["User has a gecko.", "User's pets include Biscuit."],
        ),
        (
            "Games I've played this year:\n- Hades\n",
            &["User has played Hades this year."],
        ),
        (
            "Languages I speak: Welsh, English",
            &["User speaks Welsh.", "User speaks English."],
        ),
        ("What I'm learning:\n- Turkish", &["User is learning Turkish."]),
        (
            "My top 3 bands:\n1. Low\n2. Can",
            &[
                "User's favourite bands include Low.",
                "User's favourite bands include Can.",
            ],
        ),
        (
            "- Allergies:\n  - latex\n  - dust",
            &["User is allergic to latex.", "User is allergic to dust."],
        ),
        (
            "My fears:\nheights\nmoths",
            &["User is afraid of heights.", "User is afraid of moths."],
        ),
    ]);
}

#[test]
fn a_post_and_a_degree_are_sentences() {
    assert_facts(&[
        (
            "Experience\nSenior Baker, Crust & Co (2012–2018)\n2018 - present | Rye Ltd | Head Baker",
            &[
                "User worked as a senior baker at Crust & Co from 2012 to 2018.",
                "User has worked as head baker at Rye Ltd since 2018.",
            ],
        ),
        (
            "EDUCATION:\nM.Sc. Physics, University of Oslo, 2009\nDiploma in nursing, 2004\nPhD, History, ETH Zurich, 2021–present",
            &[
                "User has an M.Sc. in Physics from the University of Oslo (2009).",
                "User has a diploma in nursing (2004).",
                "User has been studying for a PhD in History at ETH Zurich since 2021.",
            ],
        ),
        (
            "### Work history\n\n**Tram Driver**\nCity Transit\nMay 2001 – Apr 2010\n\n### Skills\n- First aid\n- Shunting",
            &[
                "User worked as a tram driver at City Transit from 2001 to 2010.",
                "User's skills include First aid.",
                "User's skills include Shunting.",
            ],
        ),
        (
            "Education\nLycée Ampère, 2001\nBSc (Hons) Biology – University of Leeds – 2005",
            &[
                "User studied at Lycée Ampère (2001).",
                "User has a BSc (Hons) in Biology from the University of Leeds (2005).",
            ],
        ),
        (
            "Midwife at St Brigid's, since 2016\nmy cv is short, what should I add?",
            &["User has worked as a midwife at St Brigid's since 2016."],
        ),
    ]);
}

#[test]
fn the_end_of_a_letter_says_who_signed_it() {
    assert_facts(&[
        (
            "We open again in May.\n\nKind regards,\nProf. Hanna Lind\nChief Librarian, Lund Library\n+46 40 123 45 67",
            &[
                "User's name is Hanna Lind.",
                "User works as chief librarian.",
                "User works at Lund Library.",
            ],
        ),
        (
            "The boiler is fixed.\n\nCheers,\nTomás\n\nSent from my iPhone",
            &["User's name is Tomás."],
        ),
        ("The boiler is fixed.\nBest wishes, Tomás", &["User's name is Tomás."]),
        (
            "Is my letter too long?\n\nDear Ms Roe,\nplease find attached the plan.\n\nYours sincerely,\nIan Fox",
            &["User's name is Ian Fox."],
        ),
    ]);
}

#[test]
fn material_that_is_not_about_a_person_gives_nothing() {
    assert_no_facts(&[
        "Error: disk full\nStatus: 500",
        "Input: 3 4\nOutput: 7\nExpected: 8",
        "Question: what is my name?\nAnswer: Kim",
        "Subject: Lunch\nDate: 3 May\nTime: 12:30\nLocation: Porto",
        "Ingredients: flour, eggs\nServings: 4\nCook time: 20 min",
        "10:30 dentist\n11:15 bank\nhttps://example.org/name: x",
        "Step 1: boil water\nStep 2: add salt",
        "First: unplug it\nThen: wait\nFinally: plug it in",
        "TODO: rename the age field",
        "version: 3\nname: web\nimage: nginx\nports: 80",
        "const user = {\n  name: 'Kim',\n  age: 31,\n}",
        "```\nage: 31\nhobbies: chess\n```",
        "> Age: 31\n> Job: welder",
        "Brand: Sony\nColor: black\nWeight: 2 kg\nPrice: $300",
        "City: Lima\nCountry: Peru\nPopulation: 10 million",
        "Name: Summer Fair\nLocation: Town Hall\nDate: 3 June",
        "dog: Hund\ncat: Katze\nhorse: Pferd",
        "Phone: 0123 456789\nEmail: info@shop.example",
        "Height: 30 cm\nWeight: 5 kg",
        "Status: active\nProject: apollo",
        "Pets? any tips",
        "Tools:\n- hammer\nProjects:\n- shelf",
        "Title: Alien\nDirector: Ridley Scott\nYear: 1979",
    ]);
}

#[test]
fn what_is_not_filled_in_gives_nothing() {
    assert_no_facts(&[
        "Budget: ?\nAge: TBD\nCity: [your city]",
        "Name: ____\nAge: ____",
        "age: int\nname: string",
        "Age:\nJob:\n",
        "My shoe size: ?",
        "Hobbies: ?\nInterests: none",
        "My plan: go to the gym",
        "My question: how far is Lima?",
    ]);
}

#[test]
fn forms_about_others_give_nothing() {
    assert_no_facts(&[
        "Write a scene with this character:\nName: Zara Vex\nAge: 31\nOccupation: pirate",
        "Here's a sample profile:\nName: Kim Roe\nAge: 31",
        "Name: Kim Roe\nAge: 31\n\nturn this into json",
        "What I know about Kim:\nAge: 31\nTown: Hull",
        "Kim Roe:\n- Age: 31\n- Job: welder",
        "My sister's friend's details:\nAge: 31",
        "| Name | Age |\n|---|---|\n| Kim | 31 |\n| Lou | 32 |",
        "Name: Kim\nAge: 31\n\nName: Lou\nAge: 32",
        "Name: Rex\nAge: 5\nBreed: beagle",
        "Patient: K. R.\nAge: 70\nMedication: aspirin",
        "Mum: dinner is ready\nDad: coming",
        "Responsibilities:\n- weld pipes\nRequirements:\n- Languages: English\n- Location: Berlin",
        "Here is a candidate's CV:\n\nExperience\nSenior Welder, Acme GmbH, 2015–2019",
        "Suggest gifts for:\nAge: 9\nLikes: slime",
        "Can you guess who this is?\nBorn: 1809\nJob: president",
        "Survey results\nAge: 18-24: 30%\nGender: female 60%",
        "Create an avatar\nHair: red\nAge: 20",
        "Our company:\nCompany: Acme\nCity: Ulm",
        "Phil Roe:\nHead Coach, Hull Hawks (1989–1998)",
    ]);
}

#[test]
fn lists_for_a_task_give_nothing() {
    assert_no_facts(&[
        "Shopping list:\n- milk\n- eggs",
        "I need:\n- flour\n- eggs",
        "Things I need to buy:\n- soap",
        "Options:\n- red\n- blue",
        "My packing list:\n- socks\n- two shirts",
        "Please summarise my notes:\n- the team met on Monday\n- Location: Ulm",
        "To-do:\n- [ ] call the bank\n- [x] water the plants",
        "what is the capital of:\n- France\n- Spain",
        "- mercury\n- venus",
        "What should I do:\n- leave\n- stay",
        "Things I hate about the villain in my story:\n- his voice",
    ]);
}

#[test]
fn letters_of_others_give_nothing() {
    assert_no_facts(&[
        "Reply to this email:\n\nHi Tom,\ncan you send it?\n\nBest,\nAnn Lee\nCFO, Acme Inc.",
        "I got this from my landlord:\n\nDear tenant,\nthe rent goes up.\n\nRegards,\nJoe Low",
        "Write an email to Sam.\n\nBest,\n[Your Name]",
        "That helps!\nthanks, Alexa",
        "Thanks,\nthat works!",
        "All the best,\nI hope it works out for you!",
    ]);
}

#[test]
fn what_is_a_sentence_of_its_own_is_left_as_an_item() {
    assert_eq!(
        items("About me:\n- vegan\n- I moved to Ulm\n  1. last May\n- Age: 31"),
        [
            ("vegan", Some("About me")),
            ("I moved to Ulm", Some("About me")),
            ("last May", Some("I moved to Ulm"))
        ]
    );
    assert_eq!(
        items("Facts about me; born in Lyon; work as a chef; hate cilantro."),
        [
            ("born in Lyon", Some("Facts about me")),
            ("work as a chef", Some("Facts about me")),
            ("hate cilantro.", Some("Facts about me"))
        ]
    );
    assert_eq!(
        items("- two cats\n\n\n– early riser"),
        [("two cats", None), ("early riser", None)]
    );
    assert_eq!(
        items("About me: nurse, 41, two kids"),
        [
            ("nurse", Some("About me")),
            ("41", Some("About me")),
            ("two kids", Some("About me"))
        ]
    );
    assert_eq!(items("1. Dislikes\n   - rain"), []);
    assert_eq!(
        items("Age: 31\nGoal: I want to sleep better"),
        [("I want to sleep better", Some("Goal"))]
    );
    assert_eq!(
        items("## Things to fix\n- the roof\n\ntext\n(1) alone"),
        [("the roof", Some("Things to fix")), ("alone", Some("text"))]
    );
}

#[test]
fn facts_and_what_they_used_up_are_exact_bytes_of_the_message() {
    let content = "Hi! 🙂\n**Name:** Zoë Ån\nAllergies: nuts, soy\n- I like rain";
    let lines = read(content, 0..content.len(), "User");
    let quotes: Vec<&str> = lines.facts.iter().map(|fact| &content[fact.range.clone()]).collect();
    assert_eq!(
        quotes,
        ["Name:** Zoë Ån", "Allergies: nuts, soy", "Allergies: nuts, soy"]
    );
    let used: Vec<&str> = lines.used.iter().map(|used| &content[used.clone()]).collect();
    assert_eq!(used, ["Name:** Zoë Ån", "Allergies: nuts, soy"]);
    let categories: Vec<_> = lines.facts.iter().map(|fact| fact.category).collect();
    assert_eq!(
        categories,
        [Some(Category::Identity), Some(Category::Health), Some(Category::Health)]
    );
}

#[test]
fn only_the_stretch_is_read_and_the_subject_is_named() {
    let content = "Age: 20\nAge: 31\nAge: 40";
    let lines = read(content, 8..15, "Ana");
    assert_eq!(
        lines.facts,
        [LineFact {
            text: "Ana is 31 years old.".to_owned(),
            range: 8..15,
            category: Some(Category::Identity),
        }]
    );
}

#[test]
fn no_input_breaks_the_reading_or_takes_long() {
    let blocks = [
        "Age: 31\n",
        "- Name: é\n",
        "שם: דוד\n",
        "名前：健\n",
        "a: b; c: d | e: f / g: h, ",
        "Skills\n\n",
        "My pets:\n- a\n",
        "2015–2019 (",
        "Best,\nBen\n",
        "| a | b |\n",
        "{\n}\n",
        "  - x:\n",
        "((((1) ",
        "a.A",
        ":",
        "：",
        "\t",
        "since 2019 é",
        "🙂: 🙂\n",
        "My goals for 2026: ",
        "…–—-",
        "\r\n\r\n",
        "Experience\nWelder, 2019–",
        "Jan 2015 to ",
    ];
    for block in blocks {
        let content = block.repeat(100_000 / block.len());
        let before = std::time::Instant::now();
        let lines = read(&content, 0..content.len(), "User");
        for range in lines.facts.iter().map(|fact| &fact.range).chain(&lines.used) {
            assert!(content.get(range.clone()).is_some());
        }
        assert!(before.elapsed().as_secs() < 3, "{block}");
    }
    for one in blocks {
        for other in blocks {
            let content = format!("{one}{other}{one}");
            for end in (0..=content.len()).filter(|&end| content.is_char_boundary(end)) {
                let _ = read(&content, 0..end, "User");
            }
        }
    }
}

#[test]
fn an_item_is_the_writers_if_its_heading_says_so_or_nothing_else_stands_there() {
    let is_writers = |content: &str| -> Vec<bool> {
        read(content, 0..content.len(), "User")
            .items
            .iter()
            .map(|item| item.is_writers)
            .collect()
    };
    assert_eq!(is_writers("- vegan\n- two cats"), [true, true]);
    assert_eq!(is_writers("A few facts about me:\n- vegan"), [true]);
    assert_eq!(is_writers("What my friends say of me\n- always late"), [true]);
    assert_eq!(is_writers("My son:\n- allergic to eggs"), [false]);
    assert_eq!(is_writers("Options:\n- red\n- blue"), [false, false]);
    assert_eq!(is_writers("My packing list:\n- socks"), [false]);
    assert_eq!(is_writers("which is best?\n- vegan\n- keto"), [false, false]);
}
