"""English."""

from habeas.vocabulary import Disposition, Headline
from services.orchestrator.views.package.words.shape import Counted, Words

ENGLISH = Words(
    code="en",
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    thousands=",",
    headlines={
        Headline.FULFILLED: "This is a copy of all personal data about you that we found.",
        Headline.FULFILLED_WITH_RETENTION: "This is a copy of all personal data about you that we found.",
        Headline.PARTLY_FULFILLED: "This is a copy of part of your personal data. Below we say what is missing, and "
        "why.",
        Headline.NOTHING_FOUND: "We searched our systems and suppliers and found no personal data about you.",
        Headline.REFUSED: "We have not given you a copy, because we have a reason not to. Below we say which.",
        Headline.NOT_FULFILLED: "We are sorry: we have not been able to give you a copy. Below we say why.",
    },
    findings={
        Disposition.EXPORTED: Counted("copied for you", "1 record copied for you", "{count} records copied for you"),
        Disposition.ALREADY_DONE: Counted(
            "copied for you", "1 record copied for you", "{count} records copied for you"
        ),
        Disposition.NOT_FOUND: Counted(
            "searched, and nothing about you found",
            "1 record was no longer there when we came to copy it",
            "{count} records were no longer there when we came to copy them",
        ),
        Disposition.REFUSED: Counted("not copied", "1 record not copied", "{count} records not copied"),
        Disposition.RETAINED: Counted("not copied", "1 record not copied", "{count} records not copied"),
        Disposition.FAILED: Counted(
            "we tried to copy this, but did not succeed",
            "we tried to copy 1 record, but did not succeed",
            "we tried to copy {count} records, but did not succeed",
        ),
        Disposition.NOT_APPLICABLE: Counted("not asked", "1 record not asked for", "{count} records not asked for"),
    },
    other_finding=Counted("dealt with", "1 record dealt with", "{count} records dealt with"),
    unchecked="We could not check this ourselves.",
    unlisted="We could not look through all of this, so there may be data about you that we did not find.",
    reasons={
        "not_served": "This recipient can not give out copies.",
        "right_not_served": "This recipient can not give out copies.",
        "no_accepted_identity": "It knows people by other details than those that we have of you.",
        "cannot_be_listed": "Such data can not be searched by what we know of you.",
        "content_in_archive_storage": "Some of it lies in an archive, from which it can not be read at once.",
        "orphans_not_looked_for": "What hangs on no customer of theirs was not looked for.",
        "export_too_large": "There is more of it than one copy can hold.",
        "unsafe_customer_id": "Your customer number has a form that it can not search by.",
        "no_export_store": "There was no safe place to put the copy.",
        "unspecified": "Ask us for the reason, and we will tell you.",
        "cannot_fulfil": "It is technically not able to.",
        "shared_with_others": "The data also concerns other people.",
        "never_announced": "It could not be reached.",
        "keeps_failing": "It kept failing.",
        "skipped_by_operator": "We decided not to ask this recipient; ask us why, and we will tell you.",
        "processor_retired": "We no longer work with this recipient.",
        "disproportionate": "It would take a disproportionate effort.",
        "wrong_person": "When we looked again, it was not yours.",
    },
    no_reason="Ask us for the reason, and we will tell you.",
    other_reason="The reason is recorded as “{word}”.",
    everything="Everything",
    countries={
        "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria", "BR": "Brazil", "CA": "Canada",
        "CH": "Switzerland", "CN": "China", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark",
        "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GR": "Greece",
        "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IN": "India", "IS": "Iceland",
        "IT": "Italy", "JP": "Japan", "KR": "South Korea", "LI": "Liechtenstein", "LT": "Lithuania",
        "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand",
        "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia",
        "SK": "Slovakia", "TR": "Türkiye", "UA": "Ukraine", "US": "United States", "ZA": "South Africa",
    },
    authorities={
        "BE": "Gegevensbeschermingsautoriteit / Autorité de protection des données (gegevensbeschermingsautoriteit.be)",
        "FR": "CNIL (cnil.fr)",
        "IE": "Data Protection Commission (dataprotection.ie)",
        "NL": "Autoriteit Persoonsgegevens (autoriteitpersoonsgegevens.nl)",
    },
    other_authority="the data protection authority of the country where you live, where you work, or where you think "
    "that the law was broken",
    labels={
        "title": "Your personal data",
        "skip": "Skip to the contents",
        "asked": "You asked",
        "request": "Request",
        "received": "Received on",
        "answered": "Answered on",
        "made": "Copy made on",
        "trial": "This is a test. No real request is behind it.",
        "contents": "Contents",
        "overview": "At a glance",
        "recipient": "Recipient",
        "where": "Where",
        "records": "Records",
        "files": "Files",
        "result": "Result",
        "total": "Total",
        "complete": "Copied",
        "partial": "Something is missing: see below",
        "none": "Nothing found",
        "missing": "Not copied: see below",
        "recipients": "Who holds data about you",
        "nobody": "No system or supplier was asked.",
        "owner": "Responsible",
        "country": "Data is kept in",
        "safeguard": "Safeguard for data outside the European Economic Area",
        "no_safeguard": "None is recorded; ask us, and we will tell you.",
        "not_announced": "Nothing more is known of this recipient.",
        "kinds": "Kinds of data",
        "kind": "Kind",
        "what": "What it is",
        "open": "Open",
        "as_table": "table",
        "as_data": "data",
        "not_described": "Not described",
        "news": "What we found, and what not",
        "file_list": "Files",
        "file": "File",
        "file_kind": "Kind",
        "file_size": "Size",
        "more_files": "and {count} more in the folder {folder}",
        "using": "How to use this copy",
        "using_text": "Unpack this package first, so that the links work. For each recipient there is a folder. In "
        "it, each kind of data stands twice: as a table "
        "(.csv) for "
        "a spreadsheet, and as data (.json) for programs. Files that were found are in the folder “files”, under names "
        "that we gave them.",
        "apostrophe": "In a table, an apostrophe stands before text that a spreadsheet could take for a formula. The "
        "data file holds the same text as it is.",
        "manifest_text": "The file {manifest} lists everything in this package, with a digest (SHA-256) by which "
        "damage can be noticed.",
        "private": "This copy holds personal data. Keep it where nobody else can read it.",
        "rights": "Your rights",
        "rights_text": "You may ask us to correct your data, to erase it, or to limit its use; you may object to its "
        "use; "
        "and you may ask to receive what you gave us in a form that you can take elsewhere.",
        "more_text": "What we use your data for, how long we keep it, where we got it, and whether decisions are "
        "made by "
        "machines alone: our privacy statement says so, or ask us and mention {request}.",
        "complain": "If you do not agree",
        "complain_text": "Tell us, and mention {request}: we will gladly look at it again. You have the right to "
        "complain "
        "to the supervisory authority: {authority}. You also have the right to go to court.",
    },
)  # fmt: skip
