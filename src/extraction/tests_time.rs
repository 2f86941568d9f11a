//! Which time a sentence speaks of, in many ways of saying it. Every sentence is sent on Wednesday 14 October 2026.

use chrono::NaiveDate;

use super::time::{event_time, mentions};
use super::word::words;

fn time_of(text: &str) -> String {
    let today = NaiveDate::from_ymd_opt(2026, 10, 14).unwrap();
    event_time(&mentions(&words(text), today)).map_or_else(
        || "-".to_owned(),
        |(time, precision)| format!("{} {precision:?}", time.date_naive()).to_lowercase(),
    )
}

fn check(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, want)| (text, want, time_of(text)))
        .filter(|(_, want, got)| **want != got)
        .map(|(text, want, got)| format!("{text}\n    wanted {want}, got {got}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn days_are_found_however_they_are_written() {
    check(&[
        ("I ran a half marathon yesterday.", "2026-10-13 day"),
        ("saw the new bond film last nite", "2026-10-13 day"),
        ("We had a power cut last night.", "2026-10-13 day"),
        ("the vet comes by tmrw morning", "2026-10-15 day"),
        ("dentist tmrw 9am ugh", "2026-10-15 day"),
        ("I'm signing the contract the day after tomorrow.", "2026-10-16 day"),
        ("broke my toe the day before yesterday", "2026-10-12 day"),
        ("Tonight I'm cooking for my in-laws.", "2026-10-14 day"),
        ("todays my last day at the bakery", "2026-10-14 day"),
        ("This morning I found a hedgehog in the shed.", "2026-10-14 day"),
        ("I got my results back three days ago.", "2026-10-11 day"),
        ("3 days ago my bike was stolen", "2026-10-11 day"),
        ("The plumber comes in two days.", "2026-10-16 day"),
        ("in 5 days we get the keys", "2026-10-19 day"),
        ("An hour ago I hit send on my thesis.", "2026-10-14 day"),
        ("a week ago today i stopped smoking", "2026-10-07 day"),
        ("parents evening 2 weeks today", "2026-10-28 day"),
        ("My hearing is a week from Tuesday.", "2026-10-27 day"),
        ("we land a week on friday", "2026-10-23 day"),
        ("The lease was signed on 7 May 2023.", "2023-05-07 day"),
        ("On May 7th, 2021 we got married.", "2021-05-07 day"),
        ("my daughter arrived on the 4th of june 2020", "2020-06-04 day"),
        ("The course starts 2026-11-09.", "2026-11-09 day"),
        ("visa runs out 31.01.2027", "2027-01-31 day"),
        ("Moved in on 3/14/2025.", "2025-03-14 day"),
    ]);
}

#[test]
fn a_plan_is_the_next_such_day_and_a_memory_the_last() {
    check(&[
        ("I fly to Oslo on Friday.", "2026-10-16 day"),
        ("on friday i have a job interview", "2026-10-16 day"),
        ("The funeral's on friday.", "2026-10-16 day"),
        ("I saw my brother on Friday.", "2026-10-09 day"),
        ("on friday i dropped my phone in the lake", "2026-10-09 day"),
        ("Had lunch with my old boss on Monday.", "2026-10-12 day"),
        ("im seeing her this fri", "2026-10-16 day"),
        ("This Saturday we're hosting a barbecue.", "2026-10-17 day"),
        ("my parents visit next tuesday", "2026-10-20 day"),
        ("We met last Thursday at the pool.", "2026-10-08 day"),
        ("moving day is sat", "-"),
        ("my surgery is on sat", "2026-10-17 day"),
        ("the party on saturday was a mess", "2026-10-10 day"),
        ("Lunch with Ines on Thursday", "2026-10-15 day"),
        ("tournament starts thurs", "2026-10-15 day"),
        ("My roommate May moves out thursday.", "2026-10-15 day"),
        ("I've got a dentist appointment on 9 December.", "2026-12-09 day"),
        ("ive got the driving test on 2 november", "2026-11-02 day"),
        ("exam is the 12th", "2026-11-12 day"),
        ("Rent is due on the 1st.", "2026-11-01 day"),
        ("the doctor can only see me on the 29th", "2026-10-29 day"),
        ("I sprained my ankle on the 29th.", "2026-09-29 day"),
        ("Our son was born on the 2nd.", "2026-10-02 day"),
        ("We got engaged on March 19.", "2026-03-19 day"),
        ("my flight got moved to march 19", "2027-03-19 day"),
        ("The concert has been postponed to 4 April.", "2027-04-04 day"),
        ("they pushed the exam to the 20th", "2026-10-20 day"),
        (
            "We'll be in Galicia from the 3rd to the 11th of November.",
            "2026-11-03 day",
        ),
        ("conference is november 3-5 in leeds", "2026-11-03 day"),
        ("I booked a table for Friday.", "2026-10-16 day"),
        ("I've been invited to a wedding on 12 December.", "2026-12-12 day"),
        ("I'm off Wednesday and Thursday next week", "2026-10-21 day"),
        ("friday next week i present at the all-hands", "2026-10-23 day"),
        ("On the second of January I start at the clinic.", "2027-01-02 day"),
        ("My thesis goes in on the last day of February.", "2027-02-28 day"),
        ("meeting moved from tuesday to thursday", "2026-10-15 day"),
        ("our cat went missing two nights ago", "2026-10-12 day"),
        ("the wedding's on the 5th of june next year", "2027-06-05 day"),
        ("we close on the first monday of november", "2026-11-02 day"),
    ]);
}

#[test]
fn a_sentence_with_two_tenses_reads_each_clause_by_its_own() {
    check(&[
        ("I signed the papers in June and we move on the 30th.", "2026-10-30 day"),
        ("My leg hurts because I fell on Sunday.", "2026-10-11 day"),
        ("I was told that I'm giving a speech on Saturday.", "2026-10-17 day"),
        ("im nervous but the operation on monday went well", "2026-10-12 day"),
    ]);
}

#[test]
fn weeks_months_seasons_and_years_keep_their_precision() {
    check(&[
        ("We're camping this weekend.", "2026-10-17 week"),
        ("Last weekend I repainted the hall.", "2026-10-10 week"),
        ("over the weekend we drove to my nan's", "2026-10-10 week"),
        ("I started a pottery course last week.", "2026-10-05 week"),
        ("next wk im in Bremen for a fair", "2026-10-19 week"),
        ("follow-up in 2 wks", "2026-10-26 week"),
        ("I get my cast off in a fortnight.", "2026-10-26 week"),
        ("two weeks ago I quit", "2026-09-28 week"),
        ("3 weeks til the bar exam", "2026-11-02 week"),
        ("A few days ago I fell off a ladder.", "2026-10-05 week"),
        ("the vet wants her back the week of the 19th", "2026-10-19 week"),
        ("results come the second week of november", "2026-11-09 week"),
        ("I moved in March.", "2026-03-01 month"),
        ("moved to sendai in november", "2025-11-01 month"),
        ("My lease ends in April.", "2027-04-01 month"),
        ("the baby is due in march", "2027-03-01 month"),
        ("im doing the N3 test in july", "2027-07-01 month"),
        ("I failed it in december by two points.", "2025-12-01 month"),
        ("We're going to Japan in May 2027.", "2027-05-01 month"),
        ("Graduated in June 2019.", "2019-06-01 month"),
        ("i retire at the end of the month", "2026-10-01 month"),
        ("sat the exam end of july", "2026-07-01 month"),
        ("I won't be back until the middle of June.", "2027-06-01 month"),
        ("we get the house mid-november", "2026-11-01 month"),
        ("Last month I sold my car.", "2026-09-01 month"),
        ("She's starting school next month.", "2026-11-01 month"),
        ("two months ago my dad had a fall", "2026-08-01 month"),
        ("I'm flying out of Perth in about two months.", "2026-12-01 month"),
        ("He's been made dispatcher from November.", "2026-11-01 month"),
        ("I started climbing last spring.", "2026-03-01 season"),
        ("moved to Bodø in the spring", "2026-03-01 season"),
        ("I defend sometime in the spring.", "2027-03-01 season"),
        ("We hiked the coast path in the summer of 2023.", "2023-06-01 season"),
        ("summer 2024 i worked on a ferry", "2024-06-01 season"),
        ("Next summer we're cycling to Rome.", "2027-06-01 season"),
        ("moved my stall indoors last winter", "2025-12-01 season"),
        ("I came to Ireland in 2009.", "2009-01-01 year"),
        ("moved here in 2019", "2019-01-01 year"),
        ("They married last year.", "2025-01-01 year"),
        ("next year i want to run a marathon", "2027-01-01 year"),
        ("We moved ten years ago.", "2016-01-01 year"),
        ("tore my rotator cuff 2 yrs ago", "2024-01-01 year"),
        ("I did my phd between 2012 and 2016", "2012-01-01 year"),
        ("Groundskeeper, Funchal municipal parks, 2011–2017", "2011-01-01 year"),
        ("I was born in 1990.", "1990-01-01 year"),
    ]);
}

#[test]
fn holidays_have_their_day() {
    check(&[
        ("Over Christmas we're driving to my parents'.", "2026-12-25 day"),
        ("im hosting 12 people at xmas", "2026-12-25 day"),
        ("He proposed on New Year's Eve.", "2025-12-31 day"),
        ("my shop opens on halloween", "2026-10-31 day"),
        ("We broke up on Valentine's Day.", "2026-02-14 day"),
        ("Easter's at my parents' next year", "2027-03-28 day"),
        ("We got back together at Easter.", "2026-04-05 day"),
        ("i fly home for thanksgiving", "2026-11-26 day"),
        ("had my wisdom teeth out on groundhog day", "2026-02-02 day"),
        ("Last Christmas I got a telescope.", "2025-12-25 day"),
    ]);
}

#[test]
fn what_comes_back_is_no_event() {
    check(&[
        ("I swim every Friday.", "-"),
        ("we play bridge on sunday evenings", "-"),
        ("I volunteer at the shelter on Mondays.", "-"),
        ("Each June we rent a boat.", "-"),
        ("i train twice a week, mon and fri", "-"),
        ("gym tues/thu and a swim on weekends", "-"),
        ("In the mornings I write.", "-"),
        ("We usually visit my gran in August.", "-"),
        ("It snows in January here.", "-"),
        ("I work Monday to Friday.", "-"),
        ("Every first Sunday of the month I sell at the flea market.", "-"),
        ("Book club meets the first Tuesday of every month.", "-"),
        ("my birthday is on May 7", "-"),
        ("we always spend christmas at the lake", "-"),
        ("I hate Mondays.", "-"),
        ("every year in march I do my taxes", "-"),
    ]);
}

#[test]
fn durations_ages_and_beginnings_are_no_dates() {
    check(&[
        ("I've worked there for 12 years.", "-"),
        ("my son is 3 years old", "-"),
        ("I'm 34.", "-"),
        ("I've been vegan since 2019.", "-"),
        ("ive lived here since last spring", "-"),
        ("I learned it in two weeks.", "-"),
        ("She has been ill for 6 months.", "-"),
        ("i sleep 6 hours a night", "-"),
        ("We've been married since the 4th of June 2011.", "-"),
        ("I'm in a better mood than I've been in ten years.", "-"),
        ("Head gardener, Villa Amarante, 2017–present", "-"),
        ("the shop is open 24 hours", "-"),
        ("anything before the 14th is off limits", "-"),
        ("I ran 10 kilometres in 55 minutes.", "-"),
    ]);
}

#[test]
fn names_and_other_words_are_no_dates() {
    check(&[
        ("April is my sister.", "-"),
        ("My friend June lives in Bonn.", "-"),
        ("my gp is Dr. Friday", "-"),
        ("I met Sun yesterday.", "2026-10-13 day"),
        ("May I ask you something?", "-"),
        ("I may go home.", "-"),
        ("we march 5 miles with the band", "-"),
        ("mon ami Luc is a baker", "-"),
        ("She has an august manner.", "-"),
        ("Autumn is my eldest and Summer my youngest.", "-"),
        ("I got a letter from June.", "-"),
        ("i teach sunday school", "-"),
        ("we sat on the porch and watched the sun", "-"),
        ("I bake christmas cookies with my nan.", "-"),
        ("the 3rd floor flat is ours", "-"),
        ("i had 2000 calories of cake", "-"),
        ("I use version 10.11.12 of it.", "-"),
        ("They wed in a barn.", "-"),
    ]);
}
