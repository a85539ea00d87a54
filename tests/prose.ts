import type { Random } from "./random.js";

/** Sentences with places for a topic (T) and a remedy (R): dull, but a screenshot of them can be read. */
const ENGLISH: readonly string[] = [
  "The short answer for T is to R first, and only then to look at the rest.",
  "I have been thinking about T since last week and still cannot decide.",
  "If you R before you begin, most of the trouble with T goes away.",
  "There are three common ways to approach T, and each has its price.",
  "Could you explain T once more, this time with a small example?",
  "That is a good question, and the honest reply is that it depends on T.",
  "Start small: R, look at what happened, and write it down.",
  "What people usually forget about T is that someone has to R every day.",
  "My neighbour says one should R, but I have never seen it help.",
  "In practice T costs less time than it seems, about 20 minutes in 2 sittings.",
  "Yes, and there is a second reason to R: you can always go back.",
  "Nothing is lost if you stop here; T can wait until tomorrow.",
  "Let me know how T went, and whether you had to R after all.",
  "I would not R on a Friday afternoon.",
];

const TOPICS = (
  "sourdough bread|a trip to Lisbon|the garden in winter|learning the cello|a slow database query|old family photographs|" +
  "the budget for spring|a memory leak in Rust|my daughter's science project|a letter to the landlord|service workers|" +
  "moving house with a cat|the history of paper|a night train to Vienna|lifetimes and borrowing|growing tomatoes|" +
  "naming things|an interview next week|the mathematics of knitting|a wedding speech|repairing a bicycle"
).split("|");

const REMEDIES = (
  "make a copy|measure it twice|read the manual|ask the person next door|sort them by date|write a test|" +
  "leave it overnight|count what is there|take the lid off|draw it on paper|throw half of it away"
).split("|");

const TITLES: readonly string[] = [
  "T",
  "Help with T",
  "Ideas for T",
  "Questions about T",
  "T, explained",
  "Planning T",
  "Notes on T",
];

const LANGUAGES: readonly (readonly string[])[] = [
  [
    "كيف يمكنني أن أساعدك اليوم؟",
    "هذا سؤال جيد عن النسخ الاحتياطي.",
    "شكرا جزيلا على الإجابة الواضحة.",
    "لا تنس أن تحفظ نسخة من البيانات.",
  ],
  [
    "איך אפשר לעזור לך היום?",
    "זאת שאלה טובה על גיבוי הנתונים.",
    "תודה רבה על התשובה.",
    "כדאי לשמור עותק לפני שמתחילים.",
  ],
  [
    "今日はデータの移行について説明します。",
    "まず、控えを取ってください。",
    "ありがとうございます、よく分かりました。",
    "東京の図書館は何時に開きますか。",
  ],
  ["请帮我解释这个函数的返回值。", "首先要备份数据，然后再开始迁移。", "谢谢，我明白了。", "北京的冬天很冷。"],
  ["क्या आप मुझे यह समझा सकते हैं?", "पहले डेटा की एक प्रति बना लें।", "धन्यवाद, अब मैं समझ गया।"],
  [
    "Größere Änderungen brauchen Übung.",
    "Où est le café près de la gare ?",
    "Żółta łódź płynie do Gdańska.",
    "Ærlig talt, det er en øl for meget.",
  ],
];

/** Text that careless code breaks: joined emoji, marks that combine, both directions in one line, characters that
 * JSON or JavaScript treats apart, names that are special to JavaScript or to a store. */
const TROUBLE: readonly string[] = [
  "👩‍👩‍👧‍👦",
  "🏳️‍🌈",
  "👩🏽‍🚀",
  "🇺🇳🇪🇺",
  "❤️‍🔥",
  "é versus e\u0301",
  "Z̷̡̛͈a̴l̶g̵o̸",
  "ภาษาไทย น้ำ",
  "각 versus 각",
  "שלום \u202Eabc\u202C (abc)",
  "العدد ١٢٣ and 123",
  "line\u2028separator\u2029paragraph",
  "\uFEFFbyte order mark",
  "tab\tnewline\nreturn\r\n\b\f\u0001\u001F\u007F",
  'quote " backslash \\ slash \\/ escape \\u0041 \\ud83d',
  "__proto__",
  "constructor.prototype",
  "$set.$where",
  "<script>alert('x')</script>&amp;",
  "'; DROP TABLE conversations; --",
  "\u{1D518}\u{20BB7}\u{10FFFD}",
  "null",
  "NaN",
];

const CODE: readonly string[] = [
  '```ts\nconst path = "C:\\\\data\\\\new";\nif (a < b && c > d) { return `${path}\\n`; }\n```\n',
  '```json\n{ "__proto__": { "polluted": true }, "a.b": [1, 2.50, 1e3, null], "~": "/" }\n```\n',
  "```python\nprint(f'{x!r:>10}')  # 100 %\n```\n",
  "```sql\nSELECT doc->>'title' FROM conversation WHERE id = $1;\n```\n",
];

/** Text of about `length` UTF-16 units, never cut within a character. */
export function prose(random: Random, length: number): string {
  const sentences = random.chance(0.15) ? random.pick(LANGUAGES) : ENGLISH;
  const pieces: string[] = [];
  let size = 0;
  while (size < length) {
    const piece = random.chance(0.1) ? trouble(random) : filled(random, random.pick(sentences));
    const end = random.chance(0.12) ? "\n\n" : " ";
    pieces.push(piece, end);
    size += piece.length + end.length;
  }
  return pieces.join("").trimEnd();
}

/** A title as people and models give them; now and then empty. */
export function title(random: Random): string {
  if (random.chance(0.03)) return "";
  if (random.chance(0.05)) return random.pick(TROUBLE);
  if (random.chance(0.1)) return random.pick(random.pick(LANGUAGES));
  const text = filled(random, random.pick(TITLES));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function filled(random: Random, template: string): string {
  return template.replace(/\b[TR]\b/g, (place) => random.pick(place === "T" ? TOPICS : REMEDIES));
}

function trouble(random: Random): string {
  return random.pick(random.chance(0.3) ? CODE : TROUBLE);
}
