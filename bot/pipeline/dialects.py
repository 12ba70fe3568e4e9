"""Words of dialects, of learners and of keyboards without umlauts, as the written standard.

A message is understood in its standard form; `Standard.place` leads back to what was written.
Words that are also English or standard German ("i", "do", "keen") are only read as dialect where
another word of the message is nothing else.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Tuple

from pipeline.word_forms import is_dialect, regular


def _pairs(lines: str) -> Dict[str, str]:
    """Read "standard: form form …" lines; "_" stands for a space."""
    pairs: Dict[str, str] = {}
    for line in lines.strip().splitlines():
        standard, forms = line.split(":")
        for form in forms.split():
            pairs[form.replace("_", " ")] = standard.strip()
    return pairs


# Forms that are nothing but dialect.
_CLEAR = _pairs("""
ich: ick icke ikk iich isch_hab
habe: hob hobi han_i
ich habe: hobi hawi han_i
habt: hobts habts hend heit_ihr
haben wir: hamma hammer hämmer hemmer
hat: hod hät
hast: host hosch hesch häsch
hätte: hett
nicht: ned nöd nüd nid netta nedd niat
nicht mehr: nimma nimmer nümm nümme nüme neamma nimmi nemme nimme
nichts: nüscht nüschte nüt nünt nischt nisch nüx goanix nixn
nie: nia niamois niemois nienich
niemand: neamand neamd niemad
kein: koa koan koi kei keene koin kee
keine: koane koani
etwas: ebbes öppis eppes epps
was: wos woas wasn
wie: wia wiad
wer: wea wää
warum: warumma weshoib worom
ist: isch iss ischs
ist es: isches
seid: seids sads
sind: san_mia
war: woar gwesn gwesen
gewesen: gwen gwest gsi xi gwä gwea gewen
wird: wiad weard
werde: wiad_i werd_i
wäre: waar weer waarad
würde: däd dät tät dadad
würdet: dadats dats dädets
kann: ka_i
können: kenna kenn_ma kinna chönne chönd könna kinne
könnten: kannt_ma kenntn kenntat
könnte: kannt kunnt chönnt kinnt kannte
könnt: kennts kinnts kennds chönd könnts kenntds
könnt ihr: könntets könntats
wollen: woin wolln wöu
will: wui wü mog wüll
möchte: mecht meecht möcht mechat mecht_i
muss: muas mua mues möt muaß
müssen: miassn miasn müend mian
soll: soi sui söll
gehen: geh_ma gehn gah
geht: gehd goht gäht gaat geiht
geben: gebm gean gäh gem gebn
gibt: gibds gibbet git geits
kommen: kimma kemma cho komma_no
kommt: kimmt kummt chunt kunt
komme: kimm kumm
machen: mochn macha mache_mer
macht: mocht moch
zahlen: zoin zoihn zahla zahle_mer tsahlen zoan zohln zahln
zahle: zoi zoih zoi's zoij
bezahlen: bezoin bezahln bezahla bezoihn betahlen betalen zoihn
bezahlt: bezoit zahlt_i betahlt zoit zoid bezohlt zalt
einzahlen: eizahle einzoin
überweisen: überweisn überwiise iwwerweise üwerweise übaweisn ibaweisn überwise
überweise: übaweis überweis iwwerweis
überwiesen: übawiesn überwise iwwerwiese übawiesen
schicken: schickn schicka schigge schickts_ma schicke_mer
schreiben: schreim schreibn schreiba schriebe schrieve schriiwe
schreibt: schreibts schriebt schriibt
schreibe: schreib_i schrib
geschrieben: gschriem gschribe gschrieben gschriebm
lesen: lesn läse
rufen: ruafn rüefe ruf_an
ruft: ruafts rufts rüefed
rufe: ruaf ruafe
anrufen: oruafn aalüte arüefe oruafa aaruefe
ruft mich an: leits_o leitet_o leits_mi_o
sagen: soagn säge sogn soong sägen
gesagt: gsogt gseit gsagt gsait
gekauft: kaaft kafft jekooft gekooft kauft_ghabt gchauft
bestellt: bstellt bschtellt bstoit bestöllt
bekommen: kriagt griagt kregen kregn übercho becho gkriegt kriacht
kriege: kriag griag krieg_i
kriegen: kriagn griagn
gekommen: kemma_is cho_isch acho okemma kumma
angekommen: okema acho oakumma
gegangen: ganga gange
verloren: valorn verlorn verlore
verstehen: vasteh verstoh vastehn
verstehe: vasteh vasteh_i
gestorben: gstorbn gstorm gstorbe gestorm gschtorbe
leben: lebn lebm läbe
arbeit: arbat oabat arbeet ärbet hackn
gearbeitet: garbat gschafft
arbeitslos: oabatslos arbatlos
geld: göd göid gäld geyd
euro: eiro oiro euronen eier_geld
raten: rata rate_n raden ratn rattn
aufteilen: aufdeila aufdoin uffteile aufteiln ufteile
abzahlen: abzoin abzahla abstottan abzahlig abzahle
ratenzahlung: radnzahlung abzahlig ratezahlig ratnzahlung
aufschieben: nausschieba naussschieben nausschiam aufschiam usschiebe rausschieben
verschieben: vaschiam verschieba verschiebe_mer
warten: woatn wartn warta wacht_en
warte: woat
stunden: stundn
rechnung: rechnig rechnungl räknung reknung rechnong rächnig rechnunga
mahnung: mahnig mohnung
nachricht: nochricht nachricht_n nochrichtn
quittung: quittig kwittung
woche: woch wuch wuche wochna weke
wochen: wocha wochn wuchen weken
nächste: naxte neegste
ersten: easchtn
ende: ändi
ende monat: endn_monat ends_monat ends_monet
monat: monet monad moonet monnat mond_at maand
monate: monad monet_e monatn mönet
jahr: johr joahr joar jor
jahre: johrn joahrn
tag: tach dag tog
tagen: tägen dagen dogen
tage: däg dage däch
heute: heit heid hüt hüüt hütt haid hait vundaag
heute abend: heitobnd heitnacht hütobig
morgen: moang moagn moing morn mörn moan morjen morgn
übermorgen: übamoang übermorn iwwermorje
gestern: gischter geschter gischtr gestan gescht geschtern gester gestert güstern jestern
vorgestern: vorgestan vorgescht
nachmittag: nomittag nochmittag nammittag namittag
vormittag: vormiddag voamittag vormittog
abend: obnd obend obig ovend aamd amd
früh: fria friah früeh
später: spada spoda schpäter spöter spater
bald: boid bold
gleich: glei gleich_moi gly glich
jetzt: iaz iatz etz itz jetza jez etzat jetzad
schon: scho schoo scho_no all_wedder
noch: nu_net
noch einmal: nomoi nomal namoi nochmol nomol
mal: moi amoi amol emol mol
einmal: amoi amal emal
immer: oiwei imma allweil ümmer immerzua
viel: vui vü vill
zu viel: zvui zvü z'vui z'viel
mehr: mea mehra
wenig: weng bissl a_weng
ein bisschen: a_bissl a_bisserl a_bissle bissle bisserl chli es_bitzeli bitzeli beten
auch: a_no oich ooch au_no oach
auf: auffa
auf die: aufd auf'd
auf das: ufs
aus: ausm us_em
von: vo vun
vom: vum
für: fia fir füa för
für den: fian firn
über: üba iwwer üwer ibba
bei euch: bei_eich bi_eu bei_eahna
zu: zua
mit dem: midm
meine: meini
mein: mei
meinem: meim
deine: deini dini
dein: dei
dir: dia
euch: eich enk ench jü
ihr: ees
ihnen: eahna eana
wir: mir_ham mer
uns: üs ons
und: ond
oder: oda
aber: owa oba awer
nur: nua bloß bloos
das: dees dös
dieses: deis
dort: duat dött durt
hier: hia doda
kaputt: kabutt
frau: frou
mann: maa
mutter: muada muadda mueter mudder
vater: vadder vatter fadder
kinder: chind kinner kindr
leute: leit lüt
mensch: mensh mönsch minsch
einer: oana ana ara anara
eine: oane
einen: oan
eins: oans oas
zwei: zwoa zwoi zwo zwee zwöi
drei: drü drüü drai droi dree
vier: viere vieri
fünf: fünfe fimf fimpf füf füfe fümf fempf
sechs: sechse sächs sechsi
sieben: siebene siebm sibe siebni
acht: achde achti
neun: neine nein_e nüün nüni
fünf: fief
zehn: zehne zehni zeahn teihn
elf: elfe ölf
zwölf: zwöife zwölfe zwöif zwölfi zwelf
fünfzehn: füfzäh
siebzig: sibezg
hundert: hunnerd
tausend: dausnd
fünfziger: fuffzich_er
zehner: zehna
dienstag: irda irta deischdag daischdig
donnerstag: dunnschtig
freitag: friedag
samstag: sonnobnd
ja: joo jawoi hajo
freilich: frei_lich fraali
nein: naa nai nei nä noi na_na
danke: dangge merci_vilmal dankschee dankschön dangschee merssi
bitte: bittschön bitschee biddschön bittscheen bidde büdde
guten tag: juten_tach gudn_dog guadn_dog grüezi_mitenand
gut: guad guat jut goot guet
schön: schee schöö scheen
schlecht: schlächt
verrückt: deppat narrisch
zufrieden: z'friedn zfriedn z'friede zfriede z'frieden
wasser: wossa wasse_r woter
hals: hois
bitte kein: bitte_koa
brief: briaf brif
post: poscht
telefon: telefoo
nummer: numma nummero nummere
neue: neie neii nöie
neu: neich
alt: oid oit
ganz: gonz janz
alles: olles oiss allet alls
halt: hoit
andere: andare annere
richtig: richdig richtich
falsch: foisch
in der: in_da
in der woche: in_da_woch in_da_wochn
einmal an: amoi_o amol_o
kaputt gewesen: hi_gwen hi_gwesn
ist kaputt: is_hi is_hi_gwen isch_hi
los: loos
erlauben: erlaubm
bisher: bisheer
zurück: zruck zrugg retour_gschickt zrück
zurückgeschickt: zruckgschickt zrugggschickt
geschickt: gschickt gschigt
gesehen: gseh gsehn gsegn
gespeichert: gspeichert
gehabt: ghabt ghobt gha
gehört: ghert ghört ghöört
gehen: geang
versprechen: versprecha versprechn
versprochen: versprocha vasprocha
halten: halta hoitn
schulden: schuidn schuldn
schuldig: schuidig
helfen: heifn hälfe helfa
helft: heifts
hilfe: huif hüüf
wissen: wissn wisse
weiß: woaß woass weess weeß weiss_i
fragen: frogn froge froga
reden: redn rede_mer schwätza schwätze babbele schnacke schnacken
anwalt: owoit aawalt
betrug: bschiss
verkehrt: vakehrt
verschwunden: verschwundn
unterschrieben: unterschriem
krank: grank
warum: wisou
heißt: hoast hoasst heisst_ebba
müll: schmarrn
besetzt: bsetzt
kleine: kloane kloa
große: grouße
""")

# Everyday speech everywhere: read as the standard, but no sign of a dialect.
_EVERYDAY = _pairs("""
nichts: nix nichs niks
nein: nee nö
ja: jo jup jap jupp jou joa
jetzt: jetz
habe: hab
hätte: hätt
wäre: wär
würde: würd
heute: heut
zahle: zahl
zwanziger: zwanni zwannis
hunderter: hunni hunnis hunderters
fünfziger: fuffi fuffie fuffis fuffies
zehner: zehners
können: könn
mit dem: mitm
einen: nen
eine: ne
auf das: aufs
für das: fürs
""")

# Forms that mean something else outside of dialect.
_UNCLEAR = _pairs("""
ich: i ik
habe: hab han
haben: ham
habt: heits hänt
ein: a e
das: des dat dit
die: de d
ist: is
was: wat
nicht: net nich nit
kein: keen
sind: san
da: do
mich: mi
dich: di
sich: si
noch: no
von: vun vo
auch: aa au ook
nein: na
alles: ois
auf: uf op
aus: us
und: un
nur: blos
mann: mo
mir: mia
mein: min
von mir: vun_mi
gewesen: gwen
""")
# "über die Sache", "Koennen Sie": an umlaut written out, where the word can be no other.
_WRITTEN_OUT = re.compile(
    r"^(?:ueber|fuer|koenn|moecht|moegl|waer|haett|wuerd|naech|muess|zurueck|hoech|spaet|gehoer|erklaer|kuend|loesch|hoer|"
    r"haelft|schaeft|beschaed|gewaehr|verspaet|aend|bestaet|verfueg|pruef|gebuehr|guenst|natuerl|persoenl|schoen|gruess|"
    r"ausfuehr|rueck|laeng|staend|zustaend|traeg|betraeg|faell|aelter|fuenf|zwoelf|maerz|jaehr|taegl|woechentl|drueck|glueck|duerf|vertraeg|einverstaend)",
    re.IGNORECASE,
)
_VOWELS = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("Ae", "Ä"), ("Oe", "Ö"), ("Ue", "Ü"))
# No part of an address, of a number or of a name with a dot.
_WORD = re.compile(r"(?<![\w@.+/-])[^\W\d_]+(?:['’][^\W\d_]+)*(?![\w@/]|[.-]\w)")
_CLITIC = re.compile(r"^([dsz])['’](?=\w\w)", re.IGNORECASE)
_CLITICS = {"d": "die ", "s": "das ", "z": "zu "}
_PHRASE_LENGTH_MAX = 3


@dataclass(frozen=True)
class Standard:
    """A text in standard words, and where its changed words stood: (start, end) new and old."""

    text: str
    moves: Tuple[Tuple[int, int, int, int], ...] = ()

    def place(self, position: int, *, is_end: bool = False) -> int:
        """Return the place in the original text of a place in the standard text."""
        shift = 0
        for start, end, old_start, old_end in self.moves:
            if position < start or (position == start and not is_end):
                break
            if position < end or (position == end and is_end):
                return old_end if is_end else old_start
            shift = old_end - end
        return position + shift


def _replacement(words: List[str], unclear: bool) -> Tuple[int, str]:
    """Return how many of the words are to be replaced, and by what; 0 for none."""
    for size in range(min(_PHRASE_LENGTH_MAX, len(words)), 0, -1):
        form = " ".join(words[:size]).lower().replace("’", "'")
        if form in _CLEAR or form in _EVERYDAY:
            return size, _CLEAR.get(form) or _EVERYDAY[form]
        if unclear and form in _UNCLEAR:
            return size, _UNCLEAR[form]
        plain_form = regular(form) if size == 1 else None
        if plain_form:
            return 1, plain_form
    word = words[0]
    clitic = _CLITIC.match(word) if unclear else None
    if clitic:
        rest = word[clitic.end() :]
        _, plain = _replacement([rest], unclear)
        return 1, _CLITICS[clitic.group(1).lower()] + (plain or rest)
    if _WRITTEN_OUT.match(word):
        for plain, umlaut in _VOWELS:
            word = word.replace(plain, umlaut)
        return 1, word
    return 0, ""


@lru_cache(maxsize=256)
def standard(text: str) -> Standard:
    """Return the text in standard words."""
    words = list(_WORD.finditer(text))
    forms = [word.group() for word in words]
    lower = [form.lower() for form in forms]
    unclear = any(form in _CLEAR or is_dialect(form) for form in lower)
    pieces: List[str] = []
    moves: List[Tuple[int, int, int, int]] = []
    length = position = index = 0
    while index < len(words):
        following = [forms[index]]
        for left, right in zip(words[index:], words[index + 1 : index + 3]):  # noqa: B905
            if text[left.end() : right.start()] != " ":
                break
            following.append(right.group())
        size, plain = _replacement(following, unclear)
        if size and plain != text[words[index].start() : words[index + size - 1].end()]:
            start, end = words[index].start(), words[index + size - 1].end()
            pieces += [text[position:start], plain]
            length += start - position
            moves.append((length, length + len(plain), start, end))
            length += len(plain)
            position = end
        index += max(size, 1)
    return Standard("".join([*pieces, text[position:]]), tuple(moves))
