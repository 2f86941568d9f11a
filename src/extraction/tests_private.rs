//! What is private and what only looks like it.

use super::private::is_private;

fn check(want: bool, texts: &[&str]) {
    let wrong: Vec<&&str> = texts.iter().filter(|text| is_private(text) != want).collect();
    assert!(wrong.is_empty(), "private should be {want}: {wrong:#?}");
}

#[test]
fn secrets_are_private_with_their_value() {
    check(
        true,
        &[
            "My wifi password is hunter2",
            "netflix pw: Gr33nTea",
            "pw for the router: admin123",
            "The password for my laptop is correct horse battery staple.",
            "my email password is marigold",
            "Password: s3cr3t!",
            "I changed my login password to Bluebird77",
            "The PIN for my card is 4921.",
            "debit card pin 7730",
            "my pin is 0042 now",
            "The code for the front door is 2580#.",
            "gate code: 9090",
            "I set the combination of my bike lock to 318.",
            "the alarm at the cabin has the code 4455",
            "code for the safe 88-12-40",
            "The key box at the flat opens with code 1973.",
            "changed the code on the garage to 6612",
            "my github token is ghp_a1B2c3D4e5F6g7H8",
            "Use AKIAIOSFODNN7EXAMPLE for the bucket.",
            "My API key is sk-test-9f8e7d6c5b4a",
            "The recovery phrase is lamp river stone candle violin.",
            "our wi-fi key is 8charsLong",
            "The network key: tulip-4-boat",
            "our garage opens with 4482",
            "my cloud password is still Mango!88",
            "my mother's maiden name is Ferraro",
            "The voicemail code of my phone is 5150.",
            "the 2fa backup codes are 83920 11029",
        ],
    );
}

#[test]
fn words_of_secrets_without_one_are_not() {
    check(
        false,
        &[
            "I forgot my password again.",
            "My password is too weak.",
            "The password field is broken on the login page.",
            "I use a password manager.",
            "My keys are in the blue bowl.",
            "The key to a good risotto is patience.",
            "I collect enamel pins and have 340 of them.",
            "I love code golf and crosswords.",
            "The promo code for the shop is SAVE20.",
            "I get error code 404 on the site.",
            "Our dress code is black tie.",
            "error: expected token `;` at line 42",
            "The bug is in line 1180 of the parser.",
            "My zip code starts with 9.",
            "The door of room 4021 is blue.",
            "My locker is number 12.",
            "We live on the 3rd floor.",
            "The safe word is fun.",
            "I write code 8 hours a day at home.",
            "I reset my router yesterday.",
        ],
    );
}

#[test]
fn numbers_of_papers_accounts_and_telephones_are_private() {
    check(
        true,
        &[
            "My card number is 4111 1111 1111 1111.",
            "Use 5500-0000-0000-0004 for the booking",
            "My IBAN is DE89 3704 0044 0532 0130 00",
            "iban GB82WEST12345698765432",
            "My SSN is 078-05-1120.",
            "my social security number is 078051120",
            "My passport number is X1234567.",
            "passport C01X00T47",
            "My account number is 0012345678",
            "sort code 20-00-00 and account number 55779911",
            "My tax ID is 12 345 678 901.",
            "my steuer-id: 48 203 771 956",
            "My driving licence number is D1234567.",
            "National insurance number QQ123456C",
            "my aadhaar is 2345 6789 0123",
            "My phone number is +44 7700 900123",
            "call me at 555-867-5309",
            "my mobile is 0171 2345678",
            "My health insurance number is A123456789.",
        ],
    );
}

#[test]
fn other_numbers_are_not() {
    check(
        false,
        &[
            "Order 4111 1111 1111 1112 arrived",
            "My order number is 4123456789012.",
            "The ISBN of my book is 9783161484100.",
            "My tracking number is 1Z999AA10123456784.",
            "Shoe size: 43",
            "My NAS has the address 10.20.30.41.",
            "the printer is at 192.168.178.20",
            "I run version 2.8.1147 of the firmware.",
            "The film made 1234567890123 people laugh",
            "My bib number for Sunday is 20417.",
            "I have a passport and love to use it",
            "My passport expires in July 2028 and I need a new one.",
            "My flight is LH 2037 at 14:20.",
            "I ran 10 kilometres in 55 minutes",
            "He scored 40 points in 12 games",
            "My account manager is Ann.",
            "My daughter is 9 and my son is 12.",
            "I have 2300 books and 14 plants.",
            "My chess rating is 1900.",
            "I bought a graphics card for 700 euros.",
        ],
    );
}

#[test]
fn illness_medicine_and_fertility_are_private() {
    check(
        true,
        &[
            "I was diagnosed with sarcoidosis.",
            "I have bipolar disorder",
            "im type 1 diabetic",
            "i have Crohns so i may vanish",
            "My brother has schizophrenia.",
            "got my results, its coeliac",
            "I'm HIV-positive.",
            "I had a panic attack on the train.",
            "I've been sober since rehab and go to AA meetings.",
            "my wife has breast cancer",
            "My cholesterol is too high.",
            "I take Prozac for depression.",
            "doc put me on 2000 IU of vitamin D",
            "I take 50 mg of losartan every morning.",
            "started sertraline last week",
            "I'm on insulin.",
            "My blood type is O negative.",
            "blood group: AB",
            "I'm pregnant!",
            "We're on our third round of IVF.",
            "We lost the baby at eleven weeks.",
            "i had a miscarriage in march",
            "I'm saving for top surgery.",
            "I have nodules on my vocal cords.",
            "I see a psychiatrist on Mondays.",
            "I have ADHD and dyslexia.",
        ],
    );
}

#[test]
fn allergies_aches_and_colds_are_not() {
    check(
        false,
        &[
            "I'm allergic to penicillin.",
            "My son has a nut allergy.",
            "I'm lactose intolerant.",
            "I can't eat gluten.",
            "My back hurts after gardening.",
            "I have a cold.",
            "I wear glasses.",
            "I sprained my ankle playing football.",
            "I tore my rotator cuff two years ago.",
            "I get migraines from bright light.",
            "I'm on a low-carb diet.",
            "I took ibuprofen for my back.",
            "I weigh 71 kg and want to lose five.",
            "I work in cancer research.",
            "My sister is a cancer nurse.",
            "High blood pressure runs in my family.",
            "I'm reading about the Great Depression.",
            "The soup has 300 mg of sodium.",
            "I don't sleep much.",
            "The doctor was kind.",
        ],
    );
}

#[test]
fn orientation_violence_law_and_papers_are_private() {
    check(
        true,
        &[
            "I'm gay.",
            "I came out as bisexual to my parents.",
            "my brother is trans",
            "I identify as asexual.",
            "I was raped.",
            "I was sexually abused as a child.",
            "I left an abusive relationship.",
            "I was suicidal last year.",
            "I was arrested for shoplifting at 19.",
            "I have a criminal record.",
            "My dad is in prison.",
            "I got a DUI in 2018.",
            "I overstayed my visa.",
            "My cousin was deported.",
            "we're undocumented",
            "My visa was refused twice.",
        ],
    );
}

#[test]
fn money_owned_owed_and_earned_is_private() {
    check(
        true,
        &[
            "My salary is 84k.",
            "I earn 3,200 a month.",
            "i make 52 before tax",
            "net pay is 2,940 a month",
            "I get paid 31 dollars an hour.",
            "My wife makes 90k a year.",
            "We have a household income of 110,000 euros.",
            "I owe the bank 20,000 euros.",
            "the 14,200 I still owe on the car",
            "im 38k in the hole",
            "I have 12,000 in savings.",
            "we saved up 40k for a house",
            "I have student loans.",
            "I filed for bankruptcy.",
            "I inherited 60,000 pounds from my aunt.",
            "we have a mortgage on the house",
        ],
    );
}

#[test]
fn prices_rents_and_budgets_are_not() {
    check(
        false,
        &[
            "My rent is 900 euros.",
            "My budget for a laptop is 1,200 euros.",
            "I paid 40 dollars for the goggles.",
            "I make 200 cookies a month for the fair.",
            "I bought a boat for 6,000.",
            "The trip costs 2,500 per person.",
            "I'm saving for a drum kit.",
            "I saved 20 minutes on my commute.",
            "We have a lot of technical debt.",
            "I'm a debt collector.",
            "I owe my sister an apology.",
            "I do payroll for petrol stations.",
            "I negotiated my salary.",
            "The team has 12 people and a 50k user base.",
        ],
    );
}

#[test]
fn a_home_address_is_private_and_a_place_is_not() {
    check(
        true,
        &[
            "I live at 12 Elm Street, Springfield.",
            "My home address is Lindenweg 4, Graz",
            "flat is Ulica Brzozowa 14 m. 7, 61-248",
            "we moved to 7 Rowan Close",
            "deliver it to 221b baker street please, thats my flat",
            "My address is Apt 4B, 310 West Hill Road.",
            "vivo en calle Mayor 15, my address",
            "I live in Vienna, Lerchengasse 21.",
        ],
    );
    check(
        false,
        &[
            "I live in a house with 3 cats",
            "I live near the harbour in Porto.",
            "My office is on Market Street.",
            "I live 11 km from work, flat all the way.",
            "I grew up on a farm with 40 cows.",
            "My email address is on my site.",
            "I moved house 3 times in 2 years.",
        ],
    );
}
