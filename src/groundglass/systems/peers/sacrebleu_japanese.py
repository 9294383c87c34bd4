"""BLEU of Japanese words as sacrebleu has it: `python sacrebleu_japanese.py INPUT.json OUTPUT.json`.

Needs `sacrebleu[ja]` (MeCab with ipadic). INPUT holds `candidates` and `references`, one text each. OUTPUT: `bleu`
(0 to 1), and both lists with the words of every text parted by spaces.
"""

import json
import sys
from pathlib import Path

import sacrebleu
from sacrebleu.tokenizers.tokenizer_ja_mecab import TokenizerJaMecab

given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
candidates, references = given["candidates"], given["references"]
parted = TokenizerJaMecab()
made = {
    "bleu": sacrebleu.corpus_bleu(candidates, [references], tokenize="ja-mecab").score / 100,
    "candidates": [parted(text) for text in candidates],
    "references": [parted(text) for text in references],
}
Path(sys.argv[2]).write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
