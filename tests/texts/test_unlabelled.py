"""Texts without labels, from a text file and from tables."""

import pytest

from distill_utils.texts.readers import DataError
from distill_utils.texts.unlabelled import read_texts


def test_a_text_file_has_a_text_a_line(tmp_path):
    path = tmp_path / "more.txt"
    path.write_bytes("\ufeffone, two\n\n  \nthree é\r\n".encode())
    assert read_texts(path, "text") == ["one, two", "three é"]


def test_a_table_has_a_column_of_them(tmp_path):
    path = tmp_path / "more.csv"
    path.write_text('id,body\n1,"one, two"\n2,three\n', encoding="utf-8")
    assert read_texts(path, "body") == ["one, two", "three"]
    with pytest.raises(DataError, match=r"no column 'text' in more.csv: it has 'id', 'body'"):
        read_texts(path, "text")


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("a.txt", b"\n \n", "holds no text"),
        ("a.txt", b"\xff\xfe\xff", "not UTF-8"),
        ("a.txt", None, "No such file"),
        ("a.docx", b"x", "give a .txt file"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=f"^[^\n]*{message}[^\n]*$"):
        read_texts(tmp_path / name, "text")
