"""One file as a table: every way to write the same rows is read, and what is not certain gets one line."""

import csv
import errno
import gzip
import io
import json
import math
import re

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_utils.texts.files import is_data_file, parts_of, read_bytes, read_file
from distill_utils.texts.tables import DataError

ROWS = [('good, "really" good\nfilm', "007"), ("naïve 映画 😀", "NA")]
CSV = 'text,label\r\n"good, ""really"" good\nfilm",007\r\nnaïve 映画 😀,NA\r\n'


def with_delimiter(mark):
    return CSV.replace("text,", f"text{mark}").replace(",007", f"{mark}007").replace(",NA", f"{mark}NA")


def rows_of(table):
    return list(zip(table.frame["text"], table.frame["label"], strict=True))


def refusal(content, name="data.csv"):
    """The one line that a file gets."""
    with pytest.raises(DataError) as error:
        read_bytes(content if isinstance(content, bytes) else content.encode(), name)
    assert "\n" not in str(error.value) and name in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "name, content",
    [
        ("data.csv", CSV.encode()),
        ("DATA.CSV", CSV.encode()),
        ("data.csv", CSV.encode("utf-8-sig")),
        ("data.csv", CSV.encode("utf-16")),
        ("data.csv", b"\xfe\xff" + CSV.encode("utf-16-be")),
        ("data.csv", CSV.encode("utf-16-le")),
        ("data.csv", CSV.encode("utf-16-be")),
        ("data.csv", CSV.encode("utf-32")),
        ("data.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("data.csv", gzip.compress(CSV.encode(), mtime=0)),
        ("data.csv", CSV.replace("\r\n", "\n").encode()),
        ("data.csv", CSV.replace("\r\n", "\r").encode()),
        ("data.csv", CSV.replace("\r\n", "\n\n").encode()),
        ("data.csv", CSV.replace("\r\n", ",\r\n").encode()),
        ("data.csv", CSV.replace("\r\n", ",\r\n").replace("label,", "label").encode()),
        ("data.csv", (CSV + ",\r\n,\r\n").encode()),
        ("data.csv", b"\n,\n" + CSV.encode()),
        ("data.csv", with_delimiter(";").encode()),
        ("data.csv", with_delimiter("\t").encode()),
        ("data.Tsv", with_delimiter("\t").encode()),
        (
            "data.csv",
            b"sep=;\r\n" + with_delimiter(";").encode(),
        ),
        (
            "data.csv",
            b'"sep=|"\n' + with_delimiter("|").encode(),
        ),
        ("data.csv", with_delimiter("|").encode()),
        ("data.csv", with_delimiter(", ").encode()),
        ("data.csv", CSV.replace("text", ",text").replace('"good', '0,"good').replace("naïve", "7,naïve").encode()),
    ],
)
def test_every_way_to_write_the_same_rows(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    table = read_file(tmp_path / name)
    assert rows_of(table) == ROWS
    assert list(table.frame) == ["text", "label"] and table.source == name


@pytest.mark.parametrize(
    "name, content",
    [
        ("data.jsonl", '{"text": "a", "label": "007"}\n\r\n{"text": "b\\u2028", "label": 7, "more": NaN}\r'),
        ("data.NDJSON", '\ufeff{"text": "a", "label": "007"}\n{"text": "b\u2028", "label": 7, "more": null}'),
        ("data.json", '[{"text": "a", "label": "007"},\n {"text": "b\u2028", "label": 7, "more": null}]\n'),
        ("data.jsonl", '\n[{"text": "a", "label": "007"}, {"text": "b\u2028", "label": 7, "more": null}]'),
    ],
)
def test_json_keeps_types(name, content):
    table = read_bytes(content.encode(), name)
    assert table.frame.to_dict("list") == {"text": ["a", "b\u2028"], "label": ["007", 7], "more": [None, None]}
    assert [type(label) for label in table.frame["label"]] == [str, int]


def test_nothing_is_inferred():
    values = ["007", "1.0", "NA", "None", "N/A", "true", "1e3", " x ", "nan", "-", "2020-01-01"]
    table = read_bytes(("text,label\n" + "".join(f"{value},{value}\n" for value in values)).encode(), "data.csv")
    assert rows_of(table) == [(value, value) for value in values]
    assert read_bytes(b"text,label\nx,\n", "data.csv").frame["label"].tolist() == [None]


def test_rows_say_their_line():
    table = read_bytes(b'text,label\n\n"two\nlines",1\n\nx,2\n', "data.csv")
    assert [table.where(row) for row in (0, 1)] == ["data.csv, line 3", "data.csv, line 6"]
    assert read_bytes(b'\n{"a": 1}', "data.jsonl").where(0) == "data.jsonl, line 2"
    assert read_bytes(b'[{"a": 1}]', "data.json").where(0) == "data.json, row 0"


def test_quote_marks_that_are_letters_in_a_tsv():
    plain = b'text\tlabel\n"not closed\t1\nso "good"\t2\n'
    assert rows_of(read_bytes(plain, "data.tsv")) == [('"not closed', "1"), ('so "good"', "2")]
    both_fit = refusal('text\tlabel\nx\t0\n"one\t1\ntwo"\t2\n', "data.tsv")
    assert "data.tsv, line 3: a quote mark opens a text of several lines, or belongs to the text" in both_fit


def test_long_texts_are_read():
    assert len(read_bytes(b"text,label\n" + b"x" * 200_000 + b",1\n", "data.csv").frame["text"][0]) == 200_000


@pytest.mark.parametrize(
    "content, message",
    [
        ("text,label\nfine,1\nwell, no,0\nso, so,1\n", "data.csv, line 3: 3 fields, where the header has 2"),
        ("text,label\nfine,1\nwell, no,0\nso, so,1\n", "the first of 2 such rows: put a text in quotes if it holds a"),
        (
            'text,label\n"a\nb",1\nfine\n',
            "data.csv, line 4: 1 field, where the header has 2 \\('text', 'label",
        ),
        ("text;label\na;b;1\n", "holds a semicolon or a line break, or name every column in the header"),
        ("text,label\n0,a,1\n1,b,0\n", "line 2: 3 fields.*name every column in the header"),
        ("text,label\na,1,\nwell, no,0\n", "line 2: 3 fields"),
        ("text,,label\na,b,1\n", "column 2 has no name"),
        (",text,label\nx,b,1\ny,c,0\n", "column 1 has no name"),
        ("text,label,text\na,b,1\n", "two columns are named 'text'"),
        ("text,label;score\na,b;1\n", "its header holds a comma and a semicolon"),
        ('text,label\nx,1\n"a,1\nb,2\n', "line 3: the row that begins here has an opening quote mark and no closing"),
        ('text,label\n"a\\"b",1\n', "line 2: the row that begins here has a quote mark inside a quoted text"),
        ("text,label\n", "holds no rows: its columns are 'text', 'label'"),
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("\n,,\n", "is empty"),
        (b"text,label\nfine,1\r\ncaf\xe9,1\n", r"line 3: byte 0xe9 \(é in .*cp1252\) is not UTF-8: save the file as"),
        (b"text,label\n\x93fine\x94,1\r\n", "line 2: byte 0x93 \\(“ in"),
        (b"text,label\nfi\0ne,1\r\n", "line 2: a NUL byte: remove it, or save the file as UTF-8"),
        (b"\xff\xfet\0e\0x", "begins as UTF-16, but is damaged"),
        (b"PK\3\4....", "a zip archive or an Excel file"),
        (b"\xd0\xcf\x11\xe0....", "an Excel file"),
        (b"PAR1....", "a parquet file: name it .parquet"),
        ("<!DOCTYPE html><html>", "a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        ('{"text": "a"}\n', "holds JSON: name it .jsonl"),
        (gzip.compress(b"text,label\na,1\n" * 99, mtime=0)[:-9], "gzip, but damaged or cut short"),
    ],
)
def test_csv_that_is_not_certain(content, message):
    assert re.search(message, refusal(content))


@pytest.mark.parametrize(
    "content, message",
    [
        ('{"text": "a"}\n{"text" "b"}\n', "data.jsonl, line 2 is not JSON (Expecting ':' delimiter, column 9)"),
        ('{"text": "a"}\n{"text": "b"\n', "line 2 is not JSON"),
        ('{"text": "a"},\n', "line 1 is not JSON (Extra data"),
        ("text,label\na,1\n", "line 1 is not JSON (Expecting value"),
        ('[{"text": "a"},\n{"text": "b"}', "line 2: this JSON array is damaged"),
        ('[{"text": "a"}, 7]', 'row 1: 7 is not an object: write rows as {"text": ...'),
        ('{"text": "a"}\n["b", 1]\n', 'line 2: ["b", 1] is not an object'),
        ('["a", 1]\n["b", 1]\n', 'line 1: ["a", 1] is not an object'),
        ('{"text": "a", "text": "b"}\n', "line 1 is not JSON ('text' stands twice in a row)"),
        ('{"text": {"0": "a"}, "label": {"0": 1}}', "is one JSON object ('text', 'label'), not rows"),
        ('{\n"data": [\n{"text": "a"}]}', "is one JSON object ('data'), not rows"),
        ("[]", "holds no rows"),
        ("[" * 100_000, "nested too deep"),
        ('{"text": "a \\ud83d"}\n', "line 1: 'text' holds half a character"),
    ],
)
def test_json_that_is_not_certain(content, message):
    assert message in refusal(content, "data.jsonl")


def test_half_characters_that_make_a_whole():
    assert read_bytes(b'{"text": "\\ud83d\\ude00"}', "data.jsonl").frame["text"].tolist() == ["😀"]


def parquet(frame, **options):
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


def test_parquet_values_are_pythons():
    frame = pd.DataFrame({"text": pd.Categorical(["a", None, "b"]), "label": [1.0, math.nan, 0.5]})
    frame["flag"] = pd.array([True, None, False], dtype="boolean")
    table = read_bytes(parquet(frame[frame.index != 1]), "data.parquet")  # an index with a gap is written as a column
    assert table.frame.to_dict("list") == {"text": ["a", "b"], "label": [1.0, 0.5], "flag": [True, False]}
    assert list(table.frame.index) == [0, 1] and table.where(1) == "data.parquet, row 1"
    table = read_bytes(parquet(frame), "data.parquet")
    assert table.frame.iloc[1].tolist() == [None, None, None] and table.frame["flag"][0] is True
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table({"label": [1.0, math.nan]}), buffer)  # pandas writes its NaN as null; others do not
    assert read_bytes(buffer.getvalue(), "data.parquet").frame["label"].tolist() == [1.0, None]


def test_text_of_type_binary_is_text_and_no_date_is_too_late():
    buffer = io.BytesIO()
    columns = {
        "text": pa.array(["é".encode()]),
        "raw": pa.array([b"\xff"]),
        "day": pa.array([10**12], pa.timestamp("s")),
    }
    pa.parquet.write_table(pa.table(columns), buffer)
    table = read_bytes(buffer.getvalue(), "data.parquet")
    assert table.frame.drop(columns="day").iloc[0].tolist() == ["é", b"\xff"]


def test_a_bar_beside_a_comma_is_part_of_a_name():
    assert list(read_bytes(b"text,yes|no\nfine,1\n", "data.csv").frame) == ["text", "yes|no"]


def test_parquet_says_the_names_of_its_classes(tmp_path):
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["ham", "spam"]))
    rows = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    rows.to_parquet(tmp_path / "data.parquet")
    table = read_file(tmp_path / "data.parquet")
    assert table.class_names == {"label": ("ham", "spam")} and table.frame["label"].tolist() == [1, 0]


def test_parquet_that_is_not():
    assert "is not a parquet file: damaged" in refusal("text,label\na,1\n", "data.parquet")
    whole = parquet(pd.DataFrame({"text": ["a"]}))
    assert "is a damaged parquet file, perhaps cut short" in refusal(whole[:-5], "data.parquet")
    assert "holds no rows" in refusal(parquet(pd.DataFrame({"text": []})), "data.parquet")


def test_files_that_cannot_be_opened(tmp_path, monkeypatch):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="cannot open 'folder.csv': Is a directory"):
        read_file(tmp_path / "folder.csv")
    with pytest.raises(DataError, match="cannot open 'none.csv': No such file"):
        read_file(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"cannot read 'mine.xlsx': save it as one of .parquet, .csv, .tsv"):
        read_file(tmp_path / "mine.xlsx")

    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", denied)  # root, who may run the tests, is denied nothing
    with pytest.raises(DataError, match="cannot open 'mine.csv': Permission denied"):
        read_file(tmp_path / "mine.csv")


def test_parts_of_names(tmp_path):
    assert parts_of(tmp_path / "Train.CSV.gz") == ("Train", ".csv")
    assert parts_of(tmp_path / "v1.2.jsonl") == ("v1.2", ".jsonl")
    assert is_data_file(tmp_path / "x.Parquet") and not is_data_file(tmp_path / "x.txt")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8)


@settings(max_examples=80, deadline=None)
@given(
    pairs=PAIRS,
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_any_csv_comes_back(pairs, delimiter, end, encoding, quoting):
    if quoting == csv.QUOTE_MINIMAL:
        end = "\r\n"  # before Python 3.13 the module leaves a \n without quotes where lines end in \r
        if delimiter == "\t":  # with a tab in a text, quote marks may be quotes or letters: see above
            pairs = [(text.replace("\t", " "), label.replace("\t", " ")) for text, label in pairs]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([("text", "label"), *pairs])
    assert rows_of(read_bytes(written.getvalue().encode(encoding), "data.csv")) == pairs


VALUES = st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(TEXTS, VALUES), min_size=1, max_size=8), ascii=st.booleans())
def test_any_json_comes_back_with_its_types(pairs, ascii):
    rows = [json.dumps({"text": text, "label": label}, ensure_ascii=ascii) for text, label in pairs]
    for content in ("\n".join(rows), "[" + ",\n".join(rows) + "]"):
        found = rows_of(read_bytes(content.encode(), "data.jsonl"))
        assert found == pairs and [type(label) for _, label in found] == [type(label) for _, label in pairs]


@settings(max_examples=30, deadline=None)
@given(pairs=PAIRS)
def test_any_parquet_comes_back(pairs):
    assert rows_of(read_bytes(parquet(pd.DataFrame(pairs, columns=["text", "label"])), "data.parquet")) == pairs
