//! The vocabulary of the category classifier: everyday words with the category that they speak for.
//!
//! Words are stemmed when the table is built, so one form of each is enough. 3 is decisive, 2 clear, 1 a hint.

use crate::model::Category::{
    self, Career, Finance, Health, Identity, Interests, Learning, Private, Productivity, Relationships, Travel,
};

/// Category, weight and words.
pub(super) const VOCABULARY: &[(Category, f32, &str)] = &[
    (
        Identity,
        3.0,
        "birthday nationality ethnicity pronouns transgender nonbinary gay lesbian bisexual queer lgbtq christian muslim \
     jewish hindu buddhist atheist catholic introvert extrovert bilingual surname nickname heritage ancestry zodiac",
    ),
    (
        Identity,
        2.0,
        "born raised native immigrant identity religion faith church citizen personality accent hometown childhood \
     believe belief god spiritual pray gender age fluent height tall left-handed values",
    ),
    (
        Identity,
        1.0,
        "name origin roots culture tradition language grew self accept confident shy stubborn patient optimistic honest creative",
    ),
    (
        Career,
        3.0,
        "job career employer employee coworker colleague boss promotion promoted salary resume interview freelancer freelance startup \
     engineer developer programmer nurse doctor teacher lawyer accountant architect welder electrician plumber carpenter barista waiter \
     chef designer manager consultant analyst scientist journalist pharmacist mechanic pilot firefighter police paramedic therapist \
     counselor counsellor secretary receptionist cashier entrepreneur intern internship layoff fired hired resigned retired unemployed \
     ceo cto cfo hr profession professional workplace deployment",
    ),
    (
        Career,
        2.0,
        "work company business client customer office shift project team lead leading meeting deadline industry hire recruit recruiter \
     corporate contract contractor employ store shop studio firm agency department colleague director founder investor pitch marketing \
     sales networking conference infrastructure software backend frontend machine factory shipyard hospital lab volunteer volunteering campaign \
     politics candidate military veteran sponsor endorsement agent season",
    ),
    (
        Career,
        1.0,
        "opportunity position role senior junior product launch app brand workshop mentor leadership staff production script publish",
    ),
    (
        Interests,
        3.0,
        "hobby hobbies hiking photography painting guitar piano violin drums trumpet ukulele cello knitting crochet gardening gaming \
     chess videogame novel fiction fantasy sci-fi anime manga movie film cinema concert band album song jazz rock techno opera museum \
     pottery ceramics sculpture dancing dance singing choir baking skateboarding surfing skiing snowboarding climbing cycling fishing \
     camping birdwatching basketball football soccer tennis baseball volleyball badminton cricket rugby golf hockey swimming sketch \
     drawing watercolor origami lego puzzle boardgame comic podcast playlist vinyl festival theatre theater western thriller",
    ),
    (
        Interests,
        2.0,
        "music art artist painter book read reading game play playing player sport watch series show fan favorite favourite enjoy \
     passion passionate love collect collection collecting paint sing sang instrument poem poetry writing write screenplay story sewing craft \
     woodworking cooking cook recipe wine beer coffee tea chocolate cake cuisine nature outdoors photo picture camera sunset garden flower plant bike \
     motorcycle car race tournament match league championship stargazing telescope console cosplay fashion",
    ),
    (
        Interests,
        1.0,
        "fun like prefer into adore hate dislike interested taste style inspire creative creativity hike trail park beach adventure character color shares",
    ),
    (
        Relationships,
        3.0,
        "wife husband spouse girlfriend boyfriend fiance fiancé fiancee partner mother mom mum father dad parent sister brother sibling \
     daughter son child kids children grandmother grandma granny grandfather grandpa grandparent grandchild aunt uncle cousin niece nephew \
     married wedding divorced engaged pregnant baby toddler dating roommate flatmate friendship stepmother stepfather stepson twin \
     dog cat puppy kitten pet hamster parrot turtle rabbit widow bridesmaid in-laws anniversary breakup adopt adoption family",
    ),
    (
        Relationships,
        2.0,
        "friend buddy neighbor neighbour relationship love marry proposed propose romantic date together funeral passed reunion hug \
     community group support",
    ),
    (
        Relationships,
        1.0,
        "met people bond trust care close guest party celebrate birthday he she",
    ),
    (
        Health,
        3.0,
        "allergy allergic asthma diabetes diabetic migraine headache depression anxiety adhd autism cancer surgery hospital doctor dentist \
     therapist therapy medication medicine pill vitamin injury injured sprained pregnant pregnancy vegetarian vegan gluten lactose celiac keto diet \
     calories weight insomnia sleep yoga meditation meditate gym workout exercise fitness marathon jogging physiotherapy flu covid fever \
     cholesterol prescription diagnosed diagnosis rehab symptoms illness sick disease arthritis chronic blood pressure penicillin vaccine",
    ),
    (
        Health,
        2.0,
        "health healthy mental pain hurt ache stress stressed burnout tired exhausted run running pilates ankle knee back wrist nutrition protein \
     sugar smoke smoking alcohol sober quit recover recovery heal healing checkup clinic appointment self-care wellness steps treadmill eat meat nuts shellfish",
    ),
    (
        Health,
        1.0,
        "walk swim body mind relax calm breathe energy rest feel strength training race water",
    ),
    (
        Finance,
        3.0,
        "mortgage loan debt budget invest investment stocks shares etf crypto bitcoin pension tax taxes salary income bank rent \
     insurance dividend retirement credit inheritance bankrupt 401k ira portfolio expenses overdraft broker refinance lottery",
    ),
    (
        Finance,
        2.0,
        "savings money pay paid afford expensive cheap cost price dollars euros pounds spend spending earn raise bonus bill funding fund fundraiser \
     purchase bought sold buy sell owe lend borrow financial finance wage",
    ),
    (
        Finance,
        1.0,
        "donate donation house car property discount sponsor $ euro usd account",
    ),
    (
        Learning,
        3.0,
        "university college school course degree bachelor master masters phd diploma certificate certification exam thesis tutorial lecture \
     student professor homework study studying studied learning learn learnt bootcamp semester scholarship graduate graduated graduation \
     major minor curriculum textbook duolingo coursera classroom kindergarten academy tutor proficient education",
    ),
    (
        Learning,
        2.0,
        "class lesson practice practise skill teach taught training seminar workshop research spanish french german japanese italian korean \
     mandarin chinese portuguese arabic russian coding programming python rust javascript typescript react statistics math calculus physics biology history \
     chemistry philosophy economics enrolled",
    ),
    (
        Learning,
        1.0,
        "book read understand knowledge discover improve beginner advanced program",
    ),
    (
        Travel,
        3.0,
        "travel trip vacation holiday flight flew airport hotel hostel airbnb passport visa backpacking roadtrip cruise itinerary abroad \
     tourist tourism sightseeing luggage suitcase safari camping campsite relocate relocating emigrated expat jetlag",
    ),
    (
        Travel,
        2.0,
        "visit visited moved moving move city country beach mountain mountains island europe asia africa america japan italy france spain germany \
     portugal greece mexico canada brazil india thailand london paris rome tokyo berlin lisbon barcelona amsterdam york ticket train drive explore \
     journey destination adventure coast lake forest national hike camp tent road sail ferry plane",
    ),
    (
        Travel,
        1.0,
        "fly live lives living apartment nature scenery abroad place places area town bali sightsee world",
    ),
    (
        Productivity,
        3.0,
        "routine habit schedule calendar todo to-do notebook planner notion obsidian spreadsheet excel workflow productivity organized organize \
     deadline pomodoro checklist goal procrastinate declutter automate alarm reminder journaling timetable",
    ),
    (
        Productivity,
        2.0,
        "morning daily weekly evening plan planning organise tool laptop keyboard editor vim vscode linux mac windows phone app setup project chore \
     laundry clean cleaning groceries commute task tasks focus priority prioritize time-management renovate renovation repair fix garage tidy",
    ),
    (
        Productivity,
        1.0,
        "busy every usually always wake bed early home house kitchen desk build building start finish started finished working use prefer progress \
     challenge balance errands",
    ),
    (Private, 3.0, "password passcode pin ssn iban"),
];

/// Category, weight and words with a blank on both sides.
pub(super) const PHRASES: &[(Category, f32, &str)] = &[
    (Identity, 4.0, " years old "),
    (Identity, 3.0, " my name "),
    (Identity, 3.0, " grew up "),
    (Identity, 4.0, " i'm from "),
    (Identity, 4.0, " i am from "),
    (Identity, 3.0, " born in "),
    (Identity, 3.0, " i speak "),
    (Identity, 3.0, " native language "),
    (Identity, 3.0, " call me "),
    (Identity, 2.0, " who i am "),
    (Identity, 3.0, " home country "),
    (Identity, 2.0, " my identity "),
    (Identity, 4.0, " i live in "),
    (Identity, 3.0, " i'm originally "),
    (Career, 3.0, " work at "),
    (Career, 3.0, " work for "),
    (Career, 3.0, " work as "),
    (Career, 3.0, " works as "),
    (Career, 3.0, " working as "),
    (Career, 3.0, " works at "),
    (Career, 3.0, " works for "),
    (Career, 2.0, " working on "),
    (Career, 3.0, " team of "),
    (Career, 3.0, " my own business "),
    (Career, 3.0, " laid off "),
    (Career, 3.0, " side hustle "),
    (Career, 3.0, " start my own "),
    (Interests, 3.0, " free time "),
    (Interests, 3.0, " spare time "),
    (Interests, 3.0, " favorite "),
    (Interests, 2.0, " i love "),
    (Interests, 2.0, " i like "),
    (Interests, 2.0, " i enjoy "),
    (Interests, 3.0, " fan of "),
    (Interests, 3.0, " board games "),
    (Interests, 3.0, " video games "),
    (Interests, 3.0, " video game "),
    (Interests, 2.0, " i hate "),
    (Interests, 2.0, " love to "),
    (Relationships, 3.0, " best friend "),
    (Relationships, 2.0, " my friend "),
    (Relationships, 3.0, " passed away "),
    (Relationships, 3.0, " my ex "),
    (Relationships, 2.0, " my team "),
    (Health, 4.0, " don't eat "),
    (Health, 4.0, " allergic to "),
    (Health, 3.0, " mental health "),
    (Health, 3.0, " lose weight "),
    (Health, 3.0, " broke my "),
    (Health, 3.0, " blood pressure "),
    (Health, 3.0, " work out "),
    (Health, 3.0, " working out "),
    (Finance, 3.0, " savings account "),
    (Finance, 3.0, " credit card "),
    (Finance, 3.0, " saving up "),
    (Finance, 3.0, " saving for "),
    (Finance, 2.0, " a month "),
    (Finance, 3.0, " pay off "),
    (Learning, 3.0, " learn to "),
    (Learning, 3.0, " learning how "),
    (Learning, 2.0, " taking a "),
    (Learning, 3.0, " go back to school "),
    (Learning, 2.0, " signed up for "),
    (Travel, 3.0, " road trip "),
    (Travel, 3.0, " been to "),
    (Travel, 3.0, " moving to "),
    (Travel, 3.0, " moved to "),
    (Travel, 3.0, " trip to "),
    (Travel, 3.0, " going to visit "),
    (Travel, 3.0, " national park "),
    (Travel, 2.0, " bucket list "),
    (Productivity, 3.0, " get up "),
    (Productivity, 3.0, " wake up "),
    (Productivity, 3.0, " every day "),
    (Productivity, 3.0, " every morning "),
    (Productivity, 2.0, " my day "),
    (Productivity, 3.0, " time management "),
    (Productivity, 2.0, " working on "),
    (Productivity, 2.0, " my goal "),
];
