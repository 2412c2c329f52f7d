"""Miniature corpora: seeded grammars of our own that set where a label lives, in the words or in their order.

Every text gets its label first, then one of three mechanisms that carries it; the dials say how often each.
`words`: a cue word as such. `negation`: a cue that is denied or conceded. `order`: two opposed cues, and only
the arrangement says which one counts. On cola a mechanism is a way to break a sentence instead: a malformed
word, a misplaced negation, or good words in a wrong order.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Dials:
    """What carries the label of a miniature corpus: shares in 0..1, of which the first three sum to 1.

    words: texts whose label single words give away.
    negation: texts whose label hangs on a negation or a contrast.
    order: texts whose label is in word order or agreement alone, so that no bag of words can see it.
    unseen: cue words (on cola: content words) of the other splits that train never shows.
    Raises ValueError for anything else.
    """

    words: float
    negation: float
    order: float
    unseen: float

    def __post_init__(self) -> None:
        shares = (self.words, self.negation, self.order)
        if not all(0 <= share <= 1 for share in (*shares, self.unseen)):
            raise ValueError(f"every dial is a share between 0 and 1; got {self}")
        if abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"words + negation + order must sum to 1, not {sum(shares):g}; got {self}")

    def with_order(self, order: float) -> Dials:
        """The same dials at another share of `order` (0..1), `words` and `negation` scaled to make room."""
        rest = self.words + self.negation
        words = (1 - order) * (self.words / rest if rest else 1)
        return replace(self, words=words, negation=1 - order - words, order=order)


DIALS = {
    "emotion": Dials(words=0.90, negation=0.06, order=0.04, unseen=0.20),
    "sst2": Dials(words=0.56, negation=0.20, order=0.24, unseen=0.20),
    "cola": Dials(words=0.00, negation=0.00, order=1.00, unseen=0.20),
    "imdb": Dials(words=0.86, negation=0.08, order=0.06, unseen=0.20),
}


Rules = dict[str, list[list[str]]]  # name -> alternatives, each cut into text, slot, text, slot, ..., text


def _rules(text: str) -> Rules:
    """Parse 'name: one | two {slot} three; other: ...;'."""
    pairs = (rule.split(":") for rule in text.split(";")[:-1])
    return {
        name.strip(): [re.split(r"\{(\w+)\}", alternative.strip()) for alternative in body.split("|")]
        for name, body in pairs
    }


# Emotion: first-person, lower-case, no punctuation. {w} is a cue of the label, {l} one of another emotion.
_EMOTION_SHARES = {"sadness": 0.23, "joy": 0.25, "love": 0.13, "anger": 0.15, "fear": 0.14, "surprise": 0.10}
_EMOTION_CUES = {
    "sadness": """sad gloomy heartbroken miserable lonely hopeless dejected tearful sorrowful mournful
        depressed unhappy melancholy crushed devastated grieving downcast despondent wretched forlorn weepy
        lonesome disheartened defeated homesick abandoned rejected empty hollow glum bereft dismal despairing
        dispirited worthless broken""",
    "joy": """happy cheerful delighted joyful thrilled glad content ecstatic elated merry jolly blissful
        pleased overjoyed upbeat sunny radiant playful carefree triumphant proud hopeful optimistic excited
        giddy festive lively jubilant gleeful satisfied fortunate energetic confident euphoric exuberant
        joyous""",
    "love": """loving affectionate tender adoring devoted romantic passionate fond caring cherished beloved
        adored smitten enamored infatuated warmhearted nurturing compassionate lovesick amorous cuddly doting
        treasured intimate sweet besotted faithful lovestruck sympathetic sentimental loved""",
    "anger": """angry furious annoyed irritated enraged mad bitter resentful hostile outraged livid irate
        grumpy cranky hateful spiteful vengeful offended insulted infuriated exasperated frustrated agitated
        aggravated incensed fuming seething indignant disgusted violent rude grouchy irritable provoked
        aggressive""",
    "fear": """afraid scared terrified anxious nervous frightened worried panicked fearful uneasy threatened
        alarmed timid shaky petrified jittery apprehensive insecure vulnerable intimidated paranoid tense
        unsafe spooked haunted horrified jumpy skittish wary panicky trembling fretful cowardly""",
    "surprise": """surprised amazed astonished shocked stunned astounded startled dazed speechless dumbfounded
        flabbergasted bewildered curious impressed perplexed awestruck staggered incredulous thunderstruck
        intrigued puzzled baffled stupefied disbelieving gobsmacked mystified wonderstruck surprising""",
}
_EMOTION = _rules("""
    words: {start} {deg} {w} {ctx} | {when} {start} {deg} {w} {ctx} | {ctx} {start} {deg} {w} |
        {start} {w} and {w} {ctx} | {who} {did} {thing} and i felt {deg} {w} |
        {doing} {thing} makes me feel {deg} {w} {when} | i am {deg} {w} {ctx} {when} |
        {thing} left me feeling {deg} {w} {when};
    negation: {start} {deg} {w} {ctx} but not {l} | i am not {l} {ctx} just {w} |
        i never felt {l} {ctx} only {deg} {w} | i should feel {l} {ctx} but i am {w} |
        i do not feel {l} {when} i feel {deg} {w};
    order: {start} more {w} than {l} {ctx} | {start} {w} rather than {l} {ctx} |
        i went from {l} to {w} {ctx} | {when} i felt {l} {ctx} and then {w} |
        i was {l} until {who} {did} {thing} and i ended up {w};
    start: i feel | im feeling | i felt | i keep feeling | i woke up feeling | i still feel | i just feel |
        i got home feeling | i started feeling | i ended up feeling | i began to feel | i tend to feel |
        i left {place} feeling | ive been feeling | i sat in {place} feeling | i walked to {place} feeling;
    deg: | | | | so | really | very | a bit | rather | pretty | kind of | quite | truly | a little |
        extremely | somehow;
    ctx: about {thing} | when {who} {did} {thing} | after {doing} {thing} | because {who} {did} {thing} |
        while {doing} {thing} | now that {who} {did} {thing} | since {who} {did} {thing} | over {thing} |
        {doing} {thing} | in {place} {when};
    when: today | tonight | this {day} | last {day} | every {day} | lately | right now | these days |
        all {day} | on {day} nights;
    day: morning | evening | week | monday | sunday | friday | winter | summer | month | weekend | thursday |
        tuesday;
    who: he | she | they | we | my {kin} | his {kin} | her {kin} | our {kin} | the {kin} | some {kin};
    kin: sister | boss | neighbour | teacher | cousin | flatmate | brother | coach | landlord | editor |
        aunt | doctor | classmate | roommate | uncle | dentist | colleague | driver;
    did: mentioned | called about | brought up | asked about | moved | described | wrote about |
        posted about | showed me | explained | photographed | talked about | planned | painted | borrowed |
        emailed me about | changed | checked;
    doing: reading about | thinking about | talking about | looking at | working on | hearing about |
        writing about | planning | cleaning | packing | discussing | sketching | watching | sorting |
        arranging | visiting | describing;
    thing: {det} {noun} | {det} {kind} {noun} | {det} {noun} in {place} | {det} {kin}s {noun};
    det: the | my | our | that | this | his | her | their | your;
    kind: new | old | blue | second | spare | wooden | weekly | local | usual | long | short | green |
        online | whole;
    noun: job | flat | trip | report | garden | project | kitchen | photo | letter | haircut | laptop |
        course | recipe | song | schedule | train ride | essay | meeting | phone | bicycle | blog |
        wardrobe | budget | playlist | table | novel | homework | calendar | carpet | jacket | curtain |
        video | newsletter | homepage | menu | draft | map;
    place: the {room} | {town} | my {room} | the {kin}s {room};
    room: office | library | kitchen | hallway | cafe | station | classroom | garage | gym | studio |
        bakery | museum;
    town: lisbon | boston | dublin | oslo | denver | leeds | porto | cairo | tokyo | quebec;
""")

# Sentiment (sst2, and the opinions of imdb). {w} is a cue of the label, {l} one of the opposite.
_SENTIMENT_CUES = {
    "negative": """dull boring tedious awful terrible stale clumsy lifeless predictable shallow bland dreary
        lame ludicrous pointless messy muddled sloppy tiresome unfunny wooden pretentious annoying forgettable
        flat hollow incoherent insipid lazy listless mediocre murky numbing obnoxious overwrought painful
        pathetic plodding preposterous redundant repetitive ridiculous silly sluggish soulless stilted stupid
        tacky tasteless tepid trite ugly uninspired vapid weak dismal dreadful horrible disappointing
        derivative contrived crass crude disjointed drab empty exhausting feeble formulaic generic grating
        idiotic implausible inane inept irritating joyless juvenile leaden limp meandering mindless monotonous
        nonsensical phony shoddy superficial turgid unbearable bad poor""",
    "positive": """wonderful brilliant charming delightful witty moving superb gripping hilarious clever
        enchanting stunning graceful heartfelt fresh dazzling inventive touching warm engaging exhilarating
        masterful magnificent beautiful funny absorbing captivating remarkable thrilling inspired intelligent
        elegant lovely powerful riveting splendid sublime tender vivid wise rewarding refreshing poignant
        polished original nimble mesmerizing memorable luminous lively imaginative impressive gorgeous
        glorious fascinating exquisite entertaining eloquent effective dynamic convincing compelling bold
        believable astonishing amusing affecting accomplished terrific excellent outstanding fantastic
        marvelous sparkling radiant crisp perceptive insightful satisfying suspenseful stirring stylish
        spirited soulful smart rousing playful nuanced lyrical good great""",
}
_SENTIMENT = _rules("""
    words: {np} {is} {deg} {w} | a {deg} {w} {kind} {genre} {about} | a {w} and {w} {genre} {about} |
        {name} gives {np} a {w} {kind} turn | {name} turns {np} into something {deg} {w} |
        {deg} {w} {genre} {about} | {np} , like {np} , {is} {w} |
        a {genre} with a {w} {piece} and a {w} {piece} | {np} {is} {w} and {deg} {w};
    negation: {np} {is} {never} {l} | {never} a {l} {genre} {about} | nothing in {np} {is} {l} |
        {np} {is} {l} , but {np} {is} {w} | a {l} {piece} , yet {np} {is} {w} |
        although {np} {is} {l} , {np} {is} {w} | {np} {is} {w} despite a {l} {piece} |
        there is not a {l} {piece} in {np};
    order: {np} {is} more {w} than {l} | {np} {is} less {l} than {w} | {np} {is} {w} rather than {l} |
        {np} goes from {l} to {w} | {np} {is} {l} at first , then {w} | {np} starts {l} and ends {w} |
        a {w} {piece} outweighs a {l} {piece} | a {l} {piece} gives way to a {w} {piece} |
        {name} swaps a {l} {piece} for a {w} {piece} | a {w} {genre} instead of a {l} one;
    never: never | not | hardly | not at all | by no means;
    is: is | is | is | feels | seems | looks | remains | proves;
    deg: | | | very | quite | truly | rather | utterly | really | thoroughly | deeply | mostly;
    np: the {part} | the {kind} {part} | its {kind} {part} | {name} 's {part} | {name} 's {kind} {genre} |
        this {kind} {genre} | the {part} of this {genre} | {name} 's {genre} {about} | the {genre} 's {part};
    about: about {topic} | from {name} | set in {place} | starring {name} | with {name} as {topic} |
        by {name} , set in {place} | of {topic};
    part: {piece} | {piece} | {piece} | dialogue | camerawork | editing | acting | pacing | scenery |
        voice work | direction;
    piece: script | plot | cast | ending | score | soundtrack | story | premise | romance | heroine |
        villain | narration | opening | finale | first act | middle | hero | prologue | epilogue |
        car chase | love story | backdrop | title song | flashback;
    genre: film | movie | comedy | drama | thriller | western | documentary | remake | sequel | adaptation |
        fable | satire | musical | mystery | biopic | portrait | debut | farce | feature | epic | melodrama |
        travelogue;
    kind: french | italian | second | third | domestic | wartime | short | late | early | central | rural |
        urban | danish | mexican | animated | digital | historical | canadian | final | contemporary |
        regional | silent | quiet | suburban;
    topic: a {trait} {job} | a {trait} {job} | two {trait} {job}s | {trait} {job}s | {name} 's {job} |
        a {job} from {place};
    trait: young | old | retired | bearded | tall | dutch | welsh | left-handed | freelance | married |
        local | visiting | blonde | masked | bilingual | teenage | unnamed | royal | nameless | barefoot;
    job: boxer | nurse | chess teacher | taxi driver | cellist | bank clerk | sailor | cook | conductor |
        beekeeper | lawyer | tailor | farmer | butcher | gardener | painter | ferryman | waiter | dentist |
        plumber | cashier | typist;
    place: {town} | {town} | rural {town} | {town} 's {site} | the {site} | a {trait} {job} 's {site};
    town: naples | glasgow | lima | seoul | montreal | alaska | cornwall | tunis | prague | nairobi | texas |
        lisbon | osaka | malta;
    site: harbour | school | hospital | vineyard | suburbs | mall | airport | embassy | bakery | garage |
        kitchen | motel | library;
    name: okafor | lindqvist | marchetti | delacroix | hargrove | petrenko | yamada | castellan | brandvold |
        osei | whitlock | farrow | navarro | kowalczyk | abernathy | tran | silvestri | moreau | haddad |
        vance | castillo | pruitt | lindgren | rao | winslow | baptiste | keller | dunmore | sato;
""")
_IMDB = _SENTIMENT | _rules("""
    aside: {who} watched it {when} | the {thing} beside {who} kept {noise} |
        {who} filmed {scene} in {place} | {who} {found} the book {when} |
        {name} plays {topic} , {name} {topic} | {who} {found} the {thing} near {place} |
        {who} paid {number} {coins} for {thing}s | {scene} follows {topic} through {place} |
        {name} wrote {scene} in {place} | {who} {found} {scene} {when} | in {scene} , {topic} meets {topic} |
        {scene} runs {number} minutes | {who} brought {thing}s {when} |
        {name} , {topic} , visits {place} {when} | {scene} shows {number} {thing}s and {topic} |
        {when} , {who} {found} a {thing};
    who: my {kin} | our {kin} | {name} 's {kin} | his {kin} | {name} | her {kin};
    kin: brother | wife | husband | flatmate | cousin | neighbour | sister | uncle | class | friend |
        daughter | son | boss | nephew;
    when: before {meal} | after {meal} | during {meal} | near {place} | in {place} | on {day} | one {day} |
        every {day};
    meal: lunch | dinner | breakfast | work | school | tea | practice | supper;
    day: monday | tuesday | sunday | friday | saturday | thursday | wednesday | easter | halloween | payday;
    found: bought | read | mentioned | noticed | discussed | missed | photographed | described | borrowed |
        remembered | recorded;
    scene: the {kind} {unit} | scene {number} | {name} 's {unit} | a {kind} {unit} | chapter {number} |
        this {unit};
    unit: trailer | reel | scene | chapter | print | edition | episode | half | version | sequence;
    thing: poster | blanket | suitcase | phone | map | booklet | radio | bicycle | postcard | umbrella |
        lamp | chair | fan | cup | coat;
    noise: humming | ringing | rattling | buzzing | spinning | clicking | blinking | turning;
    number: five | six | seven | ten | twelve | twenty | forty | ninety | eighty | thirty | eleven | nine |
        sixteen;
    coins: dollars | euros | pounds | pesos | francs | crowns;
""")

# CoLA: plain sentences. Regular words only, so that plurals, past and third person follow from the stem.
_COLA_CUES = {
    "noun": """actor author baker banker barber boy girl brother sister captain carpenter cousin dancer doctor
        driver farmer friend gardener guest hunter judge king lawyer manager neighbour nurse painter pilot
        player poet queen sailor singer soldier student teacher tourist uncle visitor waiter widow writer
        apple arrow balloon banana basket bell blanket boat bottle bowl bucket button candle carpet carrot
        chair coat coin cookie cottage curtain diamond drum engine feather fiddle flower fork garden guitar
        hammer hat helmet island jacket jewel kettle key kitten ladder lamp lemon letter lion mirror monkey
        mountain necklace novel onion orange oven parcel pebble pencil piano picture pillow pillar pistol poem
        rabbit ring river robot rose sandal saucer shirt shoe spider spoon statue stone sweater table tiger
        towel tower tractor treasure tunnel turtle umbrella violin wagon wallet window wizard zebra forest
        village castle meadow station kitchen museum temple harbor hospital""",
    "verb": """admire borrow collect cover describe destroy discover enjoy examine follow help ignore invent
        kick mention notice open paint photograph pull push repair remember remove respect rescue reveal
        surround trust visit want welcome inspect protect praise obey observe move invite imagine hate greet
        fear expect entertain ruin defend deliver decorate damage count climb chase burn attack assemble
        accept abandon avoid annoy appreciate""",
    "fall": """arrive appear wander laugh smile cough sneeze shiver whisper tremble disappear wait sail float
        shout complain hesitate mumble yawn snore faint giggle wink linger""",
    "adjective": """tall short young old wise angry brave calm clever cruel curious eager famous foolish
        gentle greedy honest humble jealous kind lazy lonely lucky nervous patient polite proud quiet rude shy
        silly tired ancient beautiful bright broken cheap clean cold colorful dark deep dirty dusty empty
        enormous expensive fragile fresh golden green heavy hollow huge large loud massive modern narrow new
        noisy pale purple rotten round rusty shiny silver small smooth soft square sticky strange tiny ugly
        warm wet wide wooden yellow""",
    "adverb": """quickly slowly carefully quietly loudly happily sadly angrily gently suddenly secretly
        proudly politely nervously eagerly bravely calmly cheerfully clumsily patiently gracefully boldly
        foolishly gladly kindly lazily noisily openly playfully rudely shyly swiftly warmly wisely""",
    "malformed": """ate/eated took/taked gave/gived wrote/writed stole/stealed threw/throwed caught/catched
        bought/buyed drew/drawed drove/drived grew/growed held/holded knew/knowed chose/choosed broke/breaked
        brought/bringed built/builded found/finded forgot/forgetted hid/hided kept/keeped lost/losed
        sold/selled saw/seed shook/shaked taught/teached wore/weared won/winned""",
}
_COLA_WORDS = {
    "singular": "the the a this that every each my her our".split(),
    "plural": "the the these those some many several my our few".split(),
    "P": "near behind beside above under with without beyond around below".split(),
    "G": "very so too quite rather extremely".split(),
}


class _Draw:
    """Draws that no Python release can change: they use nothing but `random.Random(seed).random()`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, share: float) -> bool:
        return self._random() < share

    def pick(self, items: Sequence):
        return items[int(self._random() * len(items))]

    def weighted(self, shares: dict[str, float]) -> str:
        """A name, drawn with the probability beside it; they sum to 1."""
        point = self._random()
        for name, share in shares.items():
            point -= share
            if point < 0:
                return name
        return name  # rounding left a crumb

    def shuffled(self, items: Sequence) -> list:
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = int(self._random() * (last + 1))
            items[last], items[other] = items[other], items[last]
        return items


class _Writer:
    """Writes one split: fills a grammar's slots and deals cue words, the share `unseen` of them held out."""

    def __init__(self, draw: _Draw, cues: dict[str, tuple[list[str], list[str]]], unseen: float) -> None:
        self.draw, self._cues, self._unseen, self._decks = draw, cues, unseen, {}

    def cue(self, kind: str) -> str:
        held_out = self.draw.chance(self._unseen)
        deck = self._decks.setdefault((kind, held_out), [])
        if not deck:  # dealt like cards, so that every known cue occurs even in a small train split
            deck += self.draw.shuffled(self._cues[kind][held_out])
        return deck.pop()

    def fill(self, rules: Rules, name: str, cues: dict[str, str]) -> str:
        """Write one alternative of rule `name`, its slots filled in turn; `cues`: cue slot -> kind of cue."""
        parts = list(self.draw.pick(rules[name]))
        for i in range(1, len(parts), 2):
            parts[i] = self.cue(cues[parts[i]]) if parts[i] in cues else self.fill(rules, parts[i], cues)
        return "".join(parts)


def _tidy(text: str) -> str:
    """Close gaps that empty slots left, and write "an" where it belongs."""
    return re.sub(r"\ba(?= [aeiou])", "an", " ".join(text.split()))


def _sentence_case(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _emotion(writer: _Writer, label: str, mechanism: str) -> str:
    other = writer.draw.pick([name for name in _EMOTION_CUES if name != label])
    return _tidy(writer.fill(_EMOTION, mechanism, {"w": label, "l": other}))


def _opinion(writer: _Writer, label: str, mechanism: str) -> str:
    opposite = "negative" if label == "positive" else "positive"
    return _tidy(writer.fill(_SENTIMENT, mechanism, {"w": label, "l": opposite}))


def _review(writer: _Writer, label: str, mechanism: str) -> str:
    asides = [_tidy(writer.fill(_IMDB, "aside", {})) for _ in range(2)]
    opinions = [_opinion(writer, label, mechanism) for _ in range(2)]
    sentences = writer.draw.shuffled(asides + opinions)
    return " ".join(map(_sentence_case, sentences)).replace(" ,", ",").replace(" 's", "'s")


# (tag, word) pairs; the tags: Determiner, adJective, Noun, Preposition, Verb, adveRb, Be, deGree
Words = list[tuple[str, str]]


def _noun_phrase(writer: _Writer, plural: bool, adjective: float = 0.4) -> Words:
    determiner = ("D", writer.draw.pick(_COLA_WORDS["plural" if plural else "singular"]))
    adjectives = [("J", writer.cue("adjective"))] if writer.draw.chance(adjective) else []
    return [determiner, *adjectives, ("N", writer.cue("noun") + "s" * plural)]


def _clause(writer: _Writer, transitive: bool) -> Words:
    """A grammatical clause of 4 to 10 words."""
    draw = writer.draw
    plural, past = draw.chance(0.5), draw.chance(0.5)

    def verb(stem: str) -> tuple[str, str]:
        return "V", stem + ("d" if stem.endswith("e") else "ed") if past else stem + "s" * (not plural)

    words = _noun_phrase(writer, plural)
    if transitive:
        words += [verb(writer.cue("verb")), *_noun_phrase(writer, draw.chance(0.5))]
        return [*words, ("R", writer.cue("adverb"))] if draw.chance(0.4) else words
    if draw.chance(0.6):  # a noun of the other number between the subject and its verb
        words += [("P", draw.pick(_COLA_WORDS["P"])), *_noun_phrase(writer, not plural, 0.2)]
    if draw.chance(0.5):
        return [*words, verb(writer.cue("fall")), ("R", writer.cue("adverb"))]
    be = ("are", "were") if plural else ("is", "was")
    return [*words, ("B", be[past]), ("G", draw.pick(_COLA_WORDS["G"])), ("J", writer.cue("adjective"))]


def _misorder(draw: _Draw, words: Words) -> Words:
    """Put the same words in a wrong order, or with a wrong agreement: a bag of words sees no difference."""
    words, tags = list(words), [tag for tag, _ in words]
    if "P" in tags and not words[-2][1].endswith("ed") and draw.chance(0.5):  # the two nouns differ in number
        middle, verb = tags.index("P"), tags.index("B" if "B" in tags else "V")
        return words[middle + 1 : verb] + words[middle : middle + 1] + words[:middle] + words[verb:]
    if draw.chance(0.2):  # a function word one place late: easy prey for a small student, so few
        pairs = [(i, i + 1) for i, tag in enumerate(tags[:-1]) if tag in "DPBG"]
    else:
        content = [i for i, tag in enumerate(tags) if tag in "NJVR"]
        pairs = [
            (i, j)
            for i in content
            for j in content
            if i < j and tags[i] != tags[j] and (tags[i], tags[j]) != ("V", "R")
        ]  # an adverb may stand on either side of its verb
    one, two = draw.pick(pairs)
    words[one], words[two] = words[two], words[one]
    return words


def _sentence(writer: _Writer, label: str, mechanism: str) -> str:
    broken = label == "unacceptable"
    words = _clause(writer, mechanism != "order" or writer.draw.chance(0.5))
    if mechanism == "words":
        form = writer.cue("malformed").split("/")[broken]
        words = [(tag, form if tag == "V" else word) for tag, word in words]
    elif mechanism == "negation":
        licensed = iter(("any", "no") if broken else ("no", "any"))
        words = [(tag, next(licensed) if tag == "D" else word) for tag, word in words]
    elif broken:
        words = _misorder(writer.draw, words)
    return _sentence_case(_tidy(" ".join(word for _, word in words)))


_TASKS = {  # task: share of each label in class order, cue words, how to write one text
    "emotion": (_EMOTION_SHARES, _EMOTION_CUES, _emotion),
    "sst2": ({"negative": 0.5, "positive": 0.5}, _SENTIMENT_CUES, _opinion),
    "cola": ({"unacceptable": 0.5, "acceptable": 0.5}, _COLA_CUES, _sentence),
    "imdb": ({"negative": 0.5, "positive": 0.5}, _SENTIMENT_CUES, _review),
}


def generate(
    task: str,
    *,
    seed: int = 0,
    train: int = 400,
    validation: int = 200,
    test: int = 600,
    unlabelled: int = 4000,
    dials: Dials | None = None,
) -> dict[str, tuple[list[str], list[int]]]:
    """Write the miniature corpus of a task ("emotion", "sst2", "cola", "imdb"): split -> (texts, labels).

    The splits are train, validation, test and unsupervised, of the sizes asked for. Labels count in the class
    order of the real task; unsupervised has none. No text comes twice. The same arguments give the same texts
    on every machine and Python, and test does not depend on the other sizes. `dials` defaults to DIALS[task].
    Raises ValueError for an unknown task or a negative size.
    """
    if task not in _TASKS:
        raise ValueError(f"no miniature corpus for task {task!r}; choose one of {', '.join(_TASKS)}")
    sizes = {"test": test, "validation": validation, "train": train, "unsupervised": unlabelled}
    for split, size in sizes.items():
        if size < 0:
            raise ValueError(f"the number of {split} texts must be 0 or more, not {size}")
    dials = dials or DIALS[task]
    mechanisms = {"words": dials.words, "negation": dials.negation, "order": dials.order}
    label_shares, lexicon, write = _TASKS[task]
    classes = list(label_shares)
    stream = 10 * (4 * seed + list(_TASKS).index(task))  # one for the cues, then one for each split
    draw = _Draw(stream)
    shuffled = {kind: draw.shuffled(text.split()) for kind, text in lexicon.items()}
    cues = {kind: (words[: len(words) // 2], words[len(words) // 2 :]) for kind, words in shuffled.items()}
    corpus, taken = {}, set()
    for number, (split, size) in enumerate(sizes.items(), start=1):
        writer = _Writer(_Draw(stream + number), cues, unseen=0 if split == "train" else dials.unseen)
        texts, labels = [], []
        while len(texts) < size:
            label, mechanism = writer.draw.weighted(label_shares), writer.draw.weighted(mechanisms)
            text = write(writer, label, mechanism)
            if text not in taken:
                taken.add(text)
                texts.append(text)
                labels.append(classes.index(label))
        corpus[split] = texts, labels if split != "unsupervised" else []
    return {split: corpus[split] for split in ("train", "validation", "test", "unsupervised")}
