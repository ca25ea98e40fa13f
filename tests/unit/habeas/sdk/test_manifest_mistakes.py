"""Each kind of mistake in a manifest is told by file, line, key, what is wrong and what to write instead."""

from pathlib import Path

import pytest

from habeas.sdk import Manifest, ManifestError

GOOD = """\
kind = "crm"
version = 1
title = "CRM"
owner = "sales"
country = "NL"
accepts = ["email"]
resolves = ["customer_id"]
after = ["index"]

[actions.resolve]

[actions.erase]
batch = 7

[actions.rectify]
verify_after = 60.0

[limits]
calls = 100

[timeouts]
call = 30.0

[fields]
"contact.email" = { category = "contact", name = "email" }

[[categories]]
name = "contact"
description = "contacts"

[[categories]]
name = "notes"
description = "notes"

[[settings]]
name = "token"
description = "the token"
secret = true
"""

MISTAKES = {
    # unknown keys
    "a misspelt key": (("batch = 7", "bacth = 7"), 13, "actions.erase.bacth: unknown key; did you mean batch?"),
    "a key of nobody": (("version = 1", "version = 1\nshoe = 4"), 3, "shoe: unknown key; take it out; known here are "),
    "a misspelt table": (("[limits]", "[limit]"), 18, "limit: unknown key; did you mean limits?"),
    "a key in a wrong table": (("calls = 100", "call = 100"), 19, "limits.call: unknown key; did you mean calls?"),
    "a key of a category": (
        ('name = "notes"', 'nmae = "notes"'),
        32,
        "categories.1.nmae: unknown key; did you mean name?",
    ),
    "a key of a field": (
        ('name = "email" }', 'property = "email" }'),
        25,
        'fields."contact.email".property: unknown key; take it out; known here are category, name',
    ),
    # missing parts
    "no version": (("version = 1\n", ""), 1, "version: missing; add version = 1"),
    "no kind": (('kind = "crm"\n', ""), 1, 'kind: missing; add kind = "my_crm"'),
    "no country": (('country = "NL"\n', ""), 1, 'country: missing; add country = "NL"'),
    "no accepts": (('accepts = ["email"]\n', ""), 1, 'accepts: missing; add accepts = ["email", "customer_id"]'),
    "a category without a name": (('name = "notes"\n', ""), 31, 'categories.1.name: missing; add name = "contact"'),
    "a field without a name": (
        (', name = "email" }', " }"),
        25,
        'fields."contact.email".name: missing; add name = "contact"',
    ),
    # wrong types
    "a number in quotes": (
        ("version = 1", 'version = "1"'),
        2,
        "version: must be a whole number without quotes; write",
    ),
    "a truth for a number": (("version = 1", "version = true"), 2, "version: must be a whole number without quotes"),
    "half an item": (("batch = 7", "batch = 7.5"), 13, "actions.erase.batch: must be a whole number without quotes"),
    "a text for a list": (
        ('accepts = ["email"]', 'accepts = "email"'),
        6,
        "accepts: must be a list in [ ]; write accep",
    ),
    "a number for a text": (('title = "CRM"', "title = 7"), 3, 'title: must be text in quotes; write title = "My CRM"'),
    "a text for a truth": (
        ("secret = true", 'secret = "yes"'),
        38,
        "settings.0.secret: must be true or false, without",
    ),
    "a text for seconds": (
        ("call = 30.0", 'call = "30"'),
        22,
        "timeouts.call: must be a number without quotes; write ca",
    ),
    "an action that is no table": (
        ("[actions.erase]\nbatch = 7", "[actions]\nerase = true"),
        13,
        "actions.erase: must be",
    ),
    # unknown words
    "an unknown action": (
        ("[actions.erase]", "[actions.eraze]"),
        12,
        "actions.eraze: 'eraze' is no action; did you mean ",
    ),
    "an unknown identity type": (
        ('accepts = ["email"]', 'accepts = ["email", "e-mail"]'),
        6,
        "accepts.1: 'e-mail' is no identity type; did you mean email? choose from email, phone,",
    ),
    "an unknown resolved type": (
        ('["customer_id"]', '["dna_profile"]'),
        7,
        "resolves.0: 'dna_profile' is no identity type; choose from",
    ),
    "an unknown idempotency": (
        ("batch = 7", 'idempotency = "keys"'),
        13,
        "actions.erase.idempotency: 'keys' is no choice; did you mean key? choose from key, nature, look",
    ),
    "a field of an unknown category": (
        ('{ category = "contact"', '{ category = "people"'),
        25,
        "fields.\"contact.email\": 'people' is none of the categories; choose from contact, notes, or add",
    ),
    # out of bounds
    "too small": (("batch = 7", "batch = 0"), 13, "actions.erase.batch: must be at least 1; write batch = 50"),
    "too large": (("batch = 7", "batch = 70000"), 13, "actions.erase.batch: must be at most 10000; write batch = 50"),
    "not more than nothing": (("call = 30.0", "call = 0.0"), 22, "timeouts.call: must be more than 0"),
    "an empty list": (('accepts = ["email"]', "accepts = []"), 6, "accepts: must not be empty; write accepts = "),
    "an empty text": (('title = "CRM"', 'title = ""'), 3, "title: must not be empty; write title"),
    "a title without end": (('title = "CRM"', f'title = "{"x" * 81}"'), 3, "title: must be at most 80 characters long"),
    "a kind in capitals": (
        ('kind = "crm"', 'kind = "My CRM"'),
        1,
        "kind: 'My CRM' is no name that can be used; begin with",
    ),
    "a category with a blank": (
        ('name = "notes"', 'name = "all notes"'),
        32,
        "categories.1.name: 'all notes' is no name that can be used; begin with a small letter",
    ),
    "a register key in capitals": (
        ('"contact.email"', '"Contact.Email"'),
        25,
        "fields.\"Contact.Email\": 'Contact.Email' is no name that can be used; write a register key such as",
    ),
    "what comes after a name of nobody": (
        ('["index"]', '["My Index"]'),
        8,
        "after.0: 'My Index' is no name that can be",
    ),
    # countries
    "a country by its name": (
        ('"NL"', '"Netherlands"'),
        5,
        "country: 'Netherlands' is no ISO 3166-1 code of two capital",
    ),
    "a country in small letters": (
        ('"NL"', '"nl"'),
        5,
        "country: 'nl' is no ISO 3166-1 code of two capital letters; write NL",
    ),
    "a country by another code": (('"NL"', '"UK"'), 5, "capital letters; write GB"),
    "a union of countries": (('"NL"', '"EU"'), 5, "write the code of the country in it where the data is"),
    "a country without a safeguard": (
        ('"NL"', '"US"'),
        5,
        "US is outside the European Economic Area; say on what ground",
    ),
    # what does not go together
    "resolves without resolve": (
        ("[actions.resolve]\n", ""),
        7,
        "resolves: it resolves identities, so add [actions.resolve]",
    ),
    "resolve without resolves": (
        ('resolves = ["customer_id"]\n', ""),
        9,
        "actions.resolve: it serves resolve, so say in `resol",
    ),
    "fields without rectify": (
        ("[actions.rectify]\nverify_after = 60.0\n", ""),
        22,
        "fields: it names fields that can be rectified, so add [actions.rectify]",
    ),
    "rectify without fields": (
        ('[fields]\n"contact.email" = { category = "contact", name = "email" }\n', ""),
        15,
        'actions.rectify: it serves rectify, so name the fields that can be rectified: [fields] with "contact.email"',
    ),
    "two categories of one name": (
        ('name = "notes"', 'name = "contact"'),
        31,
        "two [[categories]] have the name 'contact'",
    ),
    "two settings of one name": (
        ("secret = true\n", 'secret = true\n\n[[settings]]\nname = "token"\ndescription = "again"\n'),
        40,
        "two [[settings]] have the name 'token'; give one of them another",
    ),
    "after itself": (('["index"]', '["crm"]'), 8, "after: names its own kind; take 'crm' out"),
    # not TOML
    "a table that is not closed": (("[actions.erase]", "[actions.erase"), 12, "not TOML: "),
    "a text without quotes": (('title = "CRM"', "title = CRM"), 3, "not TOML: Invalid value; text stands in quotes"),
    "a text that is not closed": (
        ('title = "CRM"', 'title = "CRM'),
        3,
        "close the quotes on the line where they were opened",
    ),
    "a key that stands twice": (("version = 1", "version = 1\nversion = 2"), 3, "stands twice: keep one of them"),
    "a table that stands twice": (("[limits]", "[actions.erase]\n[limits]"), 18, "stands twice: keep one of them"),
    "a line without a value": (("version = 1", "version"), 2, "a line is a key, = and a value, as in title"),
    "a list without a comma": (('["customer_id"]', '["customer_id" "email"]'), 7, "put commas between its values"),
    "a truth in capitals": (("secret = true", "secret = True"), 38, "true and false in small letters"),
}


def told(folder: Path, text: str) -> str:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        Manifest.load(path)
    return str(caught.value).replace(f"{path}:", "manifest.toml:")


def test_without_a_mistake_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(GOOD, encoding="utf-8")
    assert Manifest.load(tmp_path / "manifest.toml").kind == "crm"


@pytest.mark.parametrize(("change", "line", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_its_mend(
    tmp_path: Path, change: tuple[str, str], line: int, message: str
) -> None:
    assert GOOD.count(change[0]) == 1
    found = told(tmp_path, GOOD.replace(*change))
    assert message in found
    assert [each for each in found.splitlines() if each.startswith(f"manifest.toml:{line}: ") and message in each], (
        found
    )


def test_every_mistake_has_a_line_of_its_own(tmp_path: Path) -> None:
    found = told(tmp_path, GOOD.replace("version = 1\n", "").replace("batch = 7", "bacth = 7"))
    assert found.splitlines() == [
        "manifest.toml:1: version: missing; add version = 1",
        "manifest.toml:12: actions.erase.bacth: unknown key; did you mean batch?",
    ]


def test_a_manifest_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"No such file or directory\); every processor needs a manifest\.toml"):
        Manifest.load(tmp_path / "manifest.toml")


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"cannot be read \(Is a directory\)"):
        Manifest.load(tmp_path)


def test_a_text_in_another_encoding_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_bytes(GOOD.replace('"sales"', '"Verkäufe"').encode("latin-1"))
    with pytest.raises(
        ManifestError, match=r"manifest\.toml:4: not TOML: the text is not UTF-8; save the file as UTF-8"
    ):
        Manifest.load(path)


def test_an_empty_file_lacks_everything_that_must_be_there(tmp_path: Path) -> None:
    missing = {line.split(": ")[1] for line in told(tmp_path, "").splitlines()}
    assert missing == {"kind", "version", "title", "owner", "country", "accepts", "actions", "categories"}
