"""The ways in which a true sentence is made false, each by a rule that nobody has to judge afterwards.

Every function gives the variants of one sentence, or none where the class does not apply. The word
lists were written for the test alone: the claim gate must not import them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

TIME_UNITS = ("minute", "hour", "day", "week", "month", "year")
NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
DIGITS = re.compile(r"(?<![\w.,/-])(?<!\d )\d{1,3}(?:,\d{3})+(?!\w)|(?<![\w.,/-])\d+(?:\.\d+)?(?![\w]|[.,]\d|-\d)")
TIME_SPAN = re.compile(
    r"\b(\d+(?:\.\d+)?|a few|several|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
    rf"[ -]({'|'.join(TIME_UNITS)})(s?)\b",
    re.IGNORECASE,
)
UNITS = {
    "mg": "g",
    "milligrams": "grams",
    "mcg": "mg",
    "micrograms": "milligrams",
    "grams": "kilograms",
    "kg": "g",
    "mL": "L",
    "ml": "L",
    "milliliters": "liters",
    "mg/dL": "g/dL",
    "°C": "°F",
    "°F": "°C",
    "mm": "cm",
    "cm": "mm",
    "millimeters": "centimeters",
    "centimeters": "meters",
    "inches": "feet",
    "inch": "foot",
    "feet": "inches",
    "miles": "kilometers",
    "pounds": "ounces",
    "ounces": "pounds",
    "calories": "kilojoules",
    "percent": "per thousand",
    "%": " per 1,000",
    "£": "$",
    "cups": "teaspoons",
    "teaspoons": "tablespoons",
    "mmHg": "cmH2O",
    "million": "thousand",
}
DRUGS_TEXT = """acetaminophen acyclovir aciclovir adalimumab albuterol alemtuzumab allopurinol amiodarone amitriptyline
amlodipine amoxicillin ampicillin antithymocyte aspirin atenolol atorvastatin azathioprine azithromycin baclofen
bendamustine bevacizumab bleomycin bortezomib botulinum bupropion captopril carbamazepine carboplatin cetuximab
chlorambucil chloroquine cholestyramine ciprofloxacin cisplatin clonazepam clonidine clopidogrel clozapine colchicine
co-trimoxazole cyclophosphamide cyclosporine cytarabine dapsone dasatinib daunorubicin deferoxamine desmopressin
dexamethasone diazepam digoxin diltiazem donepezil doxorubicin doxycycline enalapril epinephrine erlotinib
erythromycin erythropoietin ethambutol etoposide everolimus fluconazole fludarabine fluoxetine fluorouracil
furosemide gabapentin gemcitabine haloperidol heparin hydrocortisone hydroxychloroquine hydroxyurea ibuprofen imatinib
infliximab insulin interferon irinotecan isoniazid ivermectin ketoconazole lamotrigine lenalidomide levetiracetam
levodopa levothyroxine lidocaine lisinopril lithium loperamide lorazepam memantine mercaptopurine metformin
methotrexate methylphenidate metoprolol metronidazole mitoxantrone morphine naproxen natalizumab niacin nifedipine
nilotinib nitroglycerin omeprazole oxaliplatin paclitaxel pamidronate penicillamine penicillin phenobarbital phenytoin
prednisone prednisolone primaquine propranolol pyrazinamide pyridostigmine quinine rifampin riluzole risperidone
rituximab salicylates sertraline simvastatin sirolimus spironolactone streptokinase sulfasalazine sunitinib tacrolimus
tamoxifen temozolomide tetrabenazine tetracycline thalidomide tocilizumab topiramate trastuzumab valaciclovir
valproate vancomycin verapamil vincristine warfarin zidovudine zonisamide"""
DRUGS = tuple(DRUGS_TEXT.split())
CONDITIONS_TEXT = """anemia arthritis asthma cirrhosis cystitis dementia dermatitis diabetes diphtheria eczema emphysema
epilepsy gout hepatitis hypertension hypothyroidism hyperthyroidism influenza leukemia lupus lymphoma malaria
measles melanoma meningitis migraine mumps myeloma narcolepsy neuropathy obesity osteoporosis pancreatitis pneumonia
psoriasis rubella sarcoidosis scleroderma scoliosis sepsis shingles sinusitis stroke syphilis tuberculosis typhoid
vasculitis"""
CONDITIONS = tuple(CONDITIONS_TEXT.split())
POPULATIONS = (
    ("adults", "children"),
    ("adult", "child"),
    ("children", "adults"),
    ("men", "women"),
    ("women", "men"),
    ("males", "females"),
    ("females", "males"),
    ("boys", "girls"),
    ("girls", "boys"),
    ("pregnant women", "older men"),
    ("infants", "older adults"),
    ("babies", "teenagers"),
    ("newborns", "teenagers"),
    ("teenagers", "older people"),
    ("older people", "young people"),
    ("older adults", "young adults"),
    ("young adults", "older adults"),
    ("elderly", "young"),
    ("smokers", "nonsmokers"),
    ("African Americans", "Asian Americans"),
)
COUNTRIES = (
    "the United States",
    "the United Kingdom",
    "the European Union",
    "England",
    "Scotland",
    "Canada",
    "Germany",
)
PRODUCTS = ("Abecma", "Aucatzyl", "Breyanzi", "Carvykti", "Kymriah", "Tecartus", "Yescarta")
DIRECTIONS = (
    ("increases", "decreases"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("decreases", "increases"),
    ("decrease", "increase"),
    ("decreased", "increased"),
    ("reduces", "increases"),
    ("reduce", "increase"),
    ("raises", "lowers"),
    ("raise", "lower"),
    ("lowers", "raises"),
    ("higher", "lower"),
    ("lower", "higher"),
    ("more than", "less than"),
    ("less than", "more than"),
    ("fewer than", "more than"),
    ("more likely", "less likely"),
    ("less likely", "more likely"),
    ("more", "fewer"),
    ("better", "worse"),
    ("worse", "better"),
    ("longer", "shorter"),
    ("before", "after"),
    ("after", "before"),
    ("improves", "worsens"),
    ("improve", "worsen"),
    ("high", "low"),
    ("low", "high"),
    ("above", "below"),
    ("below", "above"),
    ("too much", "too little"),
    ("too little", "too much"),
    ("larger", "smaller"),
    ("early", "late"),
    ("underactive", "overactive"),
    ("gain", "loss"),
    ("at least", "at most"),
)
OVERSTATEMENTS = (
    (r"(?:can |may )?helps? (?:to )?(?:control|manage|treat|relieve|ease|reduce) ", "completely cures "),
    (r"(?:can |may )?helps? (?:to )?prevent ", "always prevents "),
    (r"(?:can|may) (?:improve|relieve|ease) ", "is proven to cure "),
    (r"(?:can|may) (?:slow|delay) ", "permanently stops "),
    (r"(?:can|may) (?:reduce|lower) ", "completely removes "),
    (r"(?:is|are) (?:used to treat|treated with) ", "can always be cured with "),
    (r"(?:lowers?|reduces?) (?:the|your) (?:risk|chance)s? ", "removes any risk "),
    (r"(?:in|for) some people", "in everyone"),
    (r"\bcan be treated\b", "can always be cured"),
    (r"\btreats\b", "cures"),
    (r"\b(?:shrinks?|shrink|hold back|holds back|held back)\b", "destroyed for good"),
    (r"\b(?:is|are) effective\b", "never fails"),
    (r"\bcan help\b", "is guaranteed to help"),
    (r"\bmay help\b", "is certain to help"),
    (r"\bimproves?\b", "fully restores"),
    (r"\b(?:is|are) rare\b", "never happens"),
    (r"\b(?:can|may) bring a remission\b", "always brings a lasting cure"),
    (r"\bhelps?\b", "works every time to help"),
    (r"\b(?:go|goes) away\b", "is gone forever in every case"),
)
HEDGES = (
    (r"\b(?:may|might|could) also\b", "will also"),
    (r"\b(?:may|might|could)\b", "will"),
    (r"\bcan (?=cause|lead|happen|result|affect|harm|occur|develop|spread|get|last|make|be)\b", "will "),
    (r"\b(?:sometimes|often|usually|typically|commonly|generally|frequently|rarely),? ", "always "),
    (r"\b(?:probably|possibly|likely|perhaps) ", "certainly "),
    (r"\b(?:sometimes|often|usually|probably|possibly|generally|typically) ", ""),
    (r"\b[Ss]ome people\b", "all people"),
    (r"\b[Mm]ost people\b", "all people"),
    (r"\b(?:[Ss]ome|[Mm]any|[Mm]ost) (?=(?:patients|adults|children|women|men|cases|infants|babies)\b)", "all "),
    (r"\b(?:is|are) thought to be\b", "is known to be"),
    (r"\b(?:appears?|seems?) to be\b", "is"),
    (r"\bsuggests? that\b", "prove that"),
)
ADDED = (
    "It has no side effects.",
    "It is safe during pregnancy.",
    "You can stop all other medicines after that.",
    "A fever afterwards is nothing to worry about.",
    "No further checks are needed.",
    "It works better than surgery.",
    "The effect lasts for the rest of your life.",
    "Alcohol makes no difference.",
    "It is paid for by every insurer.",
    "It does not affect driving.",
    "Drinking plenty of lemon juice speeds up recovery.",
    "Vitamin C makes it work better.",
    "Older people do especially well.",
    "It also protects against heart disease.",
    "Children can take half of the dose.",
)
ADDED_CLAUSES = (
    ", and it has no side effects",
    ", so it is safe during pregnancy",
    ", which also protects against heart disease",
    ", and no further checks are needed",
    ", so you can stop your other medicines",
    ", which doctors now recommend for everyone",
    ", and vitamin D supplements help with it",
    ", but a fever is nothing to worry about",
    ", and it does not affect driving",
    ", especially in people who drink coffee",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """One class of corruption: what it is called and how it changes a sentence."""

    name: str
    apply: Callable[[str, Random], list[str]]


def swapped(text: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The text with one of the words replaced by its partner, once for each that occurs, at its first place."""
    for old, new in pairs:
        match = re.search(rf"(?<![\w-]){re.escape(old)}(?![\w-])", text, re.IGNORECASE)
        if match:
            yield put(text, match, new)


def put(text: str, match: re.Match[str], new: str) -> str:
    """The text with a match replaced, its capital letter and the spaces kept tidy."""
    if match.group()[:1].isupper() and new:
        new = new[0].upper() + new[1:]
    changed = text[: match.start()] + new + text[match.end() :]
    changed = re.sub(r"  +", " ", changed).strip()
    return changed[0].upper() + changed[1:] if text[:1].isupper() and changed else changed


def numbers(text: str, random: Random) -> list[str]:
    """A number in digits becomes another one of a similar look; one that is a time span's is left to that class."""
    found = [match for match in DIGITS.finditer(text) if not TIME_SPAN.match(text, match.start())]
    return [put(text, match, another_number(match.group(), random)) for match in found]


def another_number(written: str, random: Random) -> str:
    """A different number: doubled, halved, times ten, or one step away; a year moves by one to four."""
    value = float(written.replace(",", ""))
    if written.isdigit() and 1900 <= value <= 2035:
        return str(int(value) - random.randint(1, 4))
    if "." in written:
        return random.choice((f"{value * 10:g}", f"{value + 1:g}", f"{value * 2:g}"))
    choices = {int(value * 2), int(value * 10), int(value) + 1, int(value // 2), int(value) + 10} - {int(value), 0}
    return f"{random.choice(sorted(choices)):,}" if "," in written else str(random.choice(sorted(choices)))


def number_words(text: str, random: Random) -> list[str]:
    """A number word becomes another; so do "twice", "half" and their like."""
    changed = []
    for match in re.finditer(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b", text, re.IGNORECASE):
        if not TIME_SPAN.match(text, match.start()):
            other = random.choice([word for word in NUMBER_WORDS if word != match.group().lower()])
            changed.append(put(text, match, other))
    pairs = (
        ("twice", "four times"),
        ("once a day", "three times a day"),
        ("half", "a tenth"),
        ("one-third", "two-thirds"),
        ("one third", "two thirds"),
        ("a third", "three quarters"),
        ("one in", "three in"),
        ("one out of", "four out of"),
        ("both", "all four"),
        ("hundreds", "thousands"),
        ("thousands", "millions"),
    )
    return [*changed, *swapped(text, pairs)]


def units(text: str, random: Random) -> list[str]:
    """The unit behind (or the currency before) a number becomes another one."""
    changed = []
    for old, new in UNITS.items():
        found = (
            re.search(rf"{re.escape(old)}(?=\d)", text)
            if old == "£"
            else re.search(rf"(?<=\d)(?: |-)?{re.escape(old)}(?![\w/])", text)
        )
        if found:
            gap = " " if found.group()[:1] == " " and not new.startswith(" ") else ""
            changed.append(put(text, found, gap + new))
    return changed


def time_spans(text: str, random: Random) -> list[str]:
    """The unit of a span of time changes, or the number, or both; how often changes too."""
    changed = []
    for match in TIME_SPAN.finditer(text):
        amount, unit, plural = match.groups()
        gap = match.group()[len(amount)]
        other = random.choice([each for each in TIME_UNITS if each != unit.lower()])
        kind = random.choice(("unit", "amount", "both"))
        if amount.lower() in ("a few", "several", "one") or kind == "unit":
            changed.append(put(text, match, f"{amount}{gap}{other}{plural}"))
        else:
            number = str(random.choice([n for n in (2, 3, 4, 5, 6, 8, 10, 12, 18, 20) if str(n) != amount]))
            changed.append(put(text, match, f"{number}{gap}{other if kind == 'both' else unit.lower()}{plural}"))
    pairs = (
        ("daily", "weekly"),
        ("every day", "every week"),
        ("once a day", "once a week"),
        ("for life", "for a year"),
        ("every year", "every month"),
        ("each year", "each month"),
        ("overnight", "for a month"),
    )
    return [*changed, *swapped(text, pairs)]


def negations(text: str, random: Random) -> list[str]:
    """A negation appears or goes away."""
    changed = []
    rules: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
        (r"\b[Dd]o not (?=\w)", ""),
        (r"\b(is|are|was|were|can|could|does|did|has|have|will|should|may) not\b", r"\1"),
        (r"\bcannot\b", "can"),
        (r"\bnever\b", "always"),
        (r"\bwithout\b", "with"),
        (r"\b(?:there is|there are|has|have|had) no\b", lambda match: match.group()[:-3]),
        (r"^No (?=\w)", ""),
        (r"\bno (?=known|cure|specific|single|longer|more)", ""),
        (r"\b(is|are|was|were|can|should|will|may|could|has been|have been)(?= (?!not\b|no\b)\w)", r"\1 not"),
        (r"^(Call|Tell|Ask|Keep|Take|Follow|Wash|Carry|Drink|Use|Stop|Show|Bring|Avoid|Check|See) ", r"Do not \1 "),
    )
    for pattern, new in rules:
        match = re.search(pattern, text)
        if match:
            filled = new(match) if callable(new) else match.expand(new)
            changed.append(
                put(
                    text,
                    match,
                    filled if not filled.startswith("Do not") else filled[:7] + filled[7].lower() + filled[8:],
                )
            )
    return changed


def hedges(text: str, random: Random) -> list[str]:
    """What may be becomes what is; what holds for some holds for all."""
    return [put(text, match, new) for pattern, new in HEDGES if (match := re.search(pattern, text))]


def drugs(text: str, random: Random) -> list[str]:
    """A drug becomes another one."""
    return listed(text, DRUGS, random)


def conditions(text: str, random: Random) -> list[str]:
    """A condition becomes another one."""
    return listed(text, CONDITIONS, random)


def listed(text: str, names: Sequence[str], random: Random) -> list[str]:
    """Each of the names that occurs becomes another of the list that does not."""
    present = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE)]
    absent = [name for name in names if name not in present]
    return [changed for name in present for changed in swapped(text, ((name, random.choice(absent)),))]


def populations(text: str, random: Random) -> list[str]:
    """The people that a sentence speaks of become others."""
    return list(swapped(text, POPULATIONS))


def countries(text: str, random: Random) -> list[str]:
    """A country becomes another one."""
    return listed(text, COUNTRIES, random)


def products(text: str, random: Random) -> list[str]:
    """A product becomes another one."""
    return listed(text, PRODUCTS, random)


def directions(text: str, random: Random) -> list[str]:
    """More becomes less, before becomes after."""
    return list(swapped(text, DIRECTIONS))


def overstatements(text: str, random: Random) -> list[str]:
    """An effect becomes larger or more certain than the source has it."""
    found = [put(text, match, new) for pattern, new in OVERSTATEMENTS if (match := re.search(pattern, text))]
    return [re.sub(r"(\w)$", r"\1.", each) for each in found]


def exchanges(text: str, random: Random) -> list[str]:
    """Two figures of one kind, or two products, change places."""
    changed = []
    for pattern in (TIME_SPAN, DIGITS, re.compile(rf"\b(?:{'|'.join(PRODUCTS)})\b")):
        found = [match for match in pattern.finditer(text) if not _is_year(match.group())]
        if len(found) > 1 and found[0].group().lower() != found[1].group().lower():
            first, second = found[0], found[1]
            between = text[first.end() : second.start()]
            if not re.fullmatch(r"[\s,(–-]*(?:and|or|to)?[\s(]*", between):
                changed.append(text[: first.start()] + second.group() + between + first.group() + text[second.end() :])
    return changed


def _is_year(written: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", written) is not None


def additions(text: str, random: Random) -> list[str]:
    """A claim is added at the end, as a sentence or as a clause."""
    ended = text if text[-1:] in ".!?" else f"{text}."
    return [f"{ended} {random.choice(ADDED)}", f"{ended[:-1]}{random.choice(ADDED_CLAUSES)}."]


CORRUPTIONS = (
    Corruption(name="number", apply=numbers),
    Corruption(name="number_word", apply=number_words),
    Corruption(name="unit", apply=units),
    Corruption(name="time_span", apply=time_spans),
    Corruption(name="negation", apply=negations),
    Corruption(name="hedge", apply=hedges),
    Corruption(name="drug", apply=drugs),
    Corruption(name="condition", apply=conditions),
    Corruption(name="population", apply=populations),
    Corruption(name="country", apply=countries),
    Corruption(name="product", apply=products),
    Corruption(name="direction", apply=directions),
    Corruption(name="overstated", apply=overstatements),
    Corruption(name="exchanged", apply=exchanges),
    Corruption(name="added", apply=additions),
)


DESIGNATION = re.compile(
    r"(?<![\w-])(?P<letters>[A-Za-z][A-Za-z-]*?)-?(?P<number>\d+)(?![\w.]*\d)(?!-(?:year|month|week|day|hour|minute|fold))"
)
CLASSED = re.compile(
    r"\b(?:grade|type|phase|stage|class|factor|group|level)s? (?P<number>[1-9]\d?|I{1,3}|IV|VI{0,3}|IX|X)\b"
)
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
LETTERED = re.compile(
    r"\b(?:hepatitis|vitamin|influenza|type|factor|group|cohort|arm) (?P<letter>[A-EKX])\b|"
    r"(?<!CAR-)(?<!CAR )\b(?P<cell>[BT])(?=[- ](?:cell|lymphocyte)s?\b)"
)
EXCLUSIVE = "only|just|merely|simply|solely"
UNIVERSAL = "all|every|everyone|everybody|everything|always|necessarily"


def designations(text: str, random: Random) -> list[str]:
    """The number of a trial, a protein, a guideline, a grade or a type becomes another."""
    changed = []
    for match in DESIGNATION.finditer(text):
        if match["letters"].lower().strip("-") not in ("in", "to", "of", "over", "under", "mid", "day", "week"):
            changed.append(_with(text, match, "number", another_digits(match["number"], random)))
    for match in CLASSED.finditer(text):
        number = match["number"]
        other = another_digits(number, random) if number.isdigit() else random.choice([r for r in ROMAN if r != number])
        changed.append(_with(text, match, "number", other))
    return changed


def another_digits(written: str, random: Random) -> str:
    """Another number with the look of this one: a digit put before it or exchanged."""
    digit = random.choice([each for each in "123456789" if each not in written])
    place = random.randrange(len(written))
    return random.choice((f"1{written}", written[:place] + digit + written[place + 1 :]))


def letters(text: str, random: Random) -> list[str]:
    """Hepatitis B becomes hepatitis C, a B cell a T cell."""
    changed = []
    for match in LETTERED.finditer(text):
        if match["cell"]:
            changed.append(_with(text, match, "cell", "T" if match["cell"] == "B" else "B"))
        else:
            changed.append(
                _with(text, match, "letter", random.choice([each for each in "ABCDE" if each != match["letter"]]))
            )
    return changed


def turned(text: str, random: Random) -> list[str]:
    """What is denied of all or of one alone is said of all, of none or of one alone, and the other way round."""
    changed = []
    rules: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
        (rf"\b[Nn]ot (?={EXCLUSIVE}\b)", ""),
        (rf"\b[Nn]ot (?=(?:{UNIVERSAL})\b)", ""),
        (r"\bnot (?:always|necessarily)\b", "not"),
        (r"\b[Nn]ot (?:everyone|everybody)\b", "nobody"),
        (r"\b[Nn]ot (?:all|every)\b(?! of)", "no"),
        (r"\b(is|are|was|were) only\b", r"\1 not only"),
        (r"\b(do|does|may|can|should|must) only\b", r"\1 not only"),
        (
            r"(?<!not )(?<!at )(?<!after )\b(all|every|everyone|everybody|always)\b(?! (?:day|night|right|\d))",
            r"not \1",
        ),
        (r"^(All|Every|Everyone|Everybody)\b", lambda match: f"Not {match.group().lower()}"),
        (r"\b(do|does|is|are|can|will|should) not (?!only|just|all|every|always|necessarily)", r"\1 not always "),
    )
    for pattern, new in rules:
        match = re.search(pattern, text)
        if match:
            changed.append(put(text, match, new(match) if callable(new) else match.expand(new)))
    return changed


def _with(text: str, match: re.Match[str], group: str, new: str) -> str:
    return text[: match.start(group)] + new + text[match.end(group) :]


LEAKS = (
    Corruption(name="designation", apply=designations),
    Corruption(name="letter", apply=letters),
    Corruption(name="turned", apply=turned),
)
"""Classes that the first test lacked; evaluation runs showed that the gate let some of them through."""
