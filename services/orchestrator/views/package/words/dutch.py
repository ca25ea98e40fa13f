"""Dutch."""

from habeas.vocabulary import Disposition, Headline
from services.orchestrator.views.package.words.shape import Counted, Words

DUTCH = Words(
    code="nl",
    months=(
        "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
        "december",
    ),
    thousands=".",
    headlines={
        Headline.FULFILLED: "Dit is een kopie van alle persoonsgegevens die wij van u hebben gevonden.",
        Headline.FULFILLED_WITH_RETENTION: "Dit is een kopie van alle persoonsgegevens die wij van u hebben gevonden.",
        Headline.PARTLY_FULFILLED: "Dit is een kopie van een deel van uw persoonsgegevens. Hieronder staat wat "
        "ontbreekt, "
        "en waarom.",
        Headline.NOTHING_FOUND: "Wij hebben onze systemen en leveranciers doorzocht en geen persoonsgegevens van u "
        "gevonden.",
        Headline.REFUSED: "Wij geven u geen kopie, omdat wij daar een reden voor hebben. Hieronder staat welke.",
        Headline.NOT_FULFILLED: "Het spijt ons: het is niet gelukt om u een kopie te geven. Hieronder staat waarom.",
    },
    findings={
        Disposition.EXPORTED: Counted(
            "voor u gekopieerd", "1 gegeven voor u gekopieerd", "{count} gegevens voor u gekopieerd"
        ),
        Disposition.ALREADY_DONE: Counted(
            "voor u gekopieerd", "1 gegeven voor u gekopieerd", "{count} gegevens voor u gekopieerd"
        ),
        Disposition.NOT_FOUND: Counted(
            "doorzocht, en niets van u gevonden",
            "1 gegeven was er niet meer toen wij het wilden kopiëren",
            "{count} gegevens waren er niet meer toen wij ze wilden kopiëren",
        ),
        Disposition.REFUSED: Counted(
            "niet gekopieerd", "1 gegeven niet gekopieerd", "{count} gegevens niet gekopieerd"
        ),
        Disposition.RETAINED: Counted(
            "niet gekopieerd", "1 gegeven niet gekopieerd", "{count} gegevens niet gekopieerd"
        ),
        Disposition.FAILED: Counted(
            "wij hebben geprobeerd dit te kopiëren, maar dat is niet gelukt",
            "wij hebben geprobeerd 1 gegeven te kopiëren, maar dat is niet gelukt",
            "wij hebben geprobeerd {count} gegevens te kopiëren, maar dat is niet gelukt",
        ),
        Disposition.NOT_APPLICABLE: Counted(
            "niet gevraagd", "1 gegeven niet gevraagd", "{count} gegevens niet gevraagd"
        ),
    },
    other_finding=Counted("behandeld", "1 gegeven behandeld", "{count} gegevens behandeld"),
    unchecked="Dit konden wij zelf niet controleren.",
    unlisted="Wij konden dit niet helemaal doorzoeken; er kunnen dus gegevens van u zijn die wij niet hebben gevonden.",
    reasons={
        "not_served": "Deze ontvanger kan geen kopieën geven.",
        "right_not_served": "Deze ontvanger kan geen kopieën geven.",
        "no_accepted_identity": "Wij weten niets van u waarmee dit systeem te doorzoeken is. Kent u uw klantnummer, "
        "geef het ons dan door.",
        "cannot_be_listed": "Zulke gegevens zijn niet te doorzoeken met wat wij van u weten.",
        "content_in_archive_storage": "Een deel ligt in een archief, waaruit het niet meteen te lezen is.",
        "orphans_not_looked_for": "Wat daar aan geen klant hangt, is niet gezocht.",
        "export_too_large": "Het is meer dan in één kopie past.",
        "unsafe_customer_id": "Uw klantnummer heeft een vorm waarmee deze ontvanger niet kan zoeken.",
        "no_export_store": "Er was geen veilige plaats voor de kopie.",
        "unspecified": "Vraag ons naar de reden, dan vertellen wij die u.",
        "cannot_fulfil": "Het systeem van de ontvanger kan dit niet.",
        "shared_with_others": "De gegevens betreffen ook andere mensen.",
        "never_announced": "Deze ontvanger was niet bereikbaar.",
        "keeps_failing": "Het bleef mislukken.",
        "skipped_by_operator": "Wij hebben besloten deze ontvanger niet te vragen; vraag ons waarom, dan vertellen "
        "wij het "
        "u.",
        "processor_retired": "Wij werken niet meer met deze ontvanger.",
        "disproportionate": "Het zou onevenredig veel moeite kosten.",
        "closed": "Het verzoek was al afgesloten voordat deze ontvanger antwoordde.",
        "forgotten": "Het verzoek was al afgesloten voordat deze ontvanger antwoordde.",
        "wrong_person": "Toen wij opnieuw keken, was het niet van u.",
    },
    no_reason="Vraag ons naar de reden, dan vertellen wij die u.",
    other_reason="De reden is vastgelegd als “{word}”.",
    everything="Alles",
    unsearched="Niet doorzocht.",
    searched_in_part="Wij hebben geen persoonsgegevens van u gevonden waar wij konden zoeken. Hieronder staat waar "
    "wij dat "
    "niet konden.",
    categories={
        "attempts": "Betaalpogingen",
        "balance": "Tegoed",
        "calls": "Telefoongesprekken",
        "charges": "Betalingen",
        "communications": "Berichten",
        "completions": "Teksten gemaakt door AI",
        "contact": "Contactgegevens",
        "conversations": "Gesprekken",
        "customer": "Klantgegevens",
        "drafts": "Conceptfacturen",
        "emails": "E-mails",
        "files": "Bestanden",
        "invoices": "Facturen",
        "meetings": "Afspraken",
        "notes": "Notities",
        "payment_methods": "Betaalmiddelen",
        "responses": "Antwoorden gemaakt door AI",
        "subscriptions": "Abonnementen",
        "tasks": "Taken",
        "tax_ids": "Belastingnummers",
        "tickets": "Supportvragen",
        "uploads": "Onvoltooide uploads",
        "vector_stores": "Zoekindexen",
    },
    translations={
        "The contact's own record: name, addresses, telephone numbers, properties":
            "Wat over de contactpersoon zelf is vastgelegd: naam, adressen, telefoonnummers, kenmerken",
        "Notes that employees wrote about the contact": "Notities die medewerkers over de contactpersoon schreven",
        "E-mails logged on the contact": "E-mails die bij de contactpersoon zijn bewaard",
        "Calls logged on the contact": "Telefoongesprekken die bij de contactpersoon zijn vastgelegd",
        "Meetings logged on the contact": "Afspraken die bij de contactpersoon zijn vastgelegd",
        "Tasks of employees about the contact": "Taken van medewerkers over de contactpersoon",
        "Text, chat and postal messages logged on the contact":
            "Sms-, chat- en postberichten die bij de contactpersoon zijn bewaard",
        "Support tickets of the contact": "Supportvragen van de contactpersoon",
        "Standard contractual clauses (Commission Implementing Decision (EU) 2021/914)":
            "Standaardcontractbepalingen (Uitvoeringsbesluit (EU) 2021/914 van de Commissie)",
        "Files that were uploaded for the person or are about them":
            "Bestanden die voor de persoon zijn geüpload of over hem of haar gaan",
        "Search indexes over the person's files": "Zoekindexen over de bestanden van de persoon",
        "Stored chat completions: the messages sent and the answers":
            "Bewaarde gesprekken met AI: de verzonden berichten en de antwoorden",
        "Conversations with all of their items": "Gesprekken met alles wat erin staat",
        "Stored responses with their input": "Bewaarde antwoorden met wat eraan voorafging",
        "Files of the person: every version, and the marks that deleted ones left":
            "Bestanden van de persoon: elke versie, en de sporen van verwijderde bestanden",
        "Uploads of the person that were begun and never finished":
            "Uploads van de persoon die zijn begonnen en nooit afgemaakt",
        "EU-US Data Privacy Framework, with Standard Contractual Clauses behind it":
            "EU-VS-kader voor gegevensbescherming, met daarachter standaardcontractbepalingen",
        "The customer's own record: name, addresses, telephone number, notes":
            "Wat over de klant zelf is vastgelegd: naam, adressen, telefoonnummer, notities",
        "Cards and bank accounts that the customer pays with": "Kaarten en bankrekeningen waarmee de klant betaalt",
        "Tax numbers of the customer": "Belastingnummers van de klant",
        "Entries of the customer's balance": "Boekingen op het tegoed van de klant",
        "What the customer subscribes to, or did": "Waarop de klant is geabonneerd, of was",
        "Drafts of invoices, and items for the next one": "Conceptfacturen, en posten voor de volgende factuur",
        "Invoices with the name and address that they were made out to, and credit notes":
            "Facturen met de naam en het adres waarop ze zijn gesteld, en creditnota's",
        "Payments: charges with their intents, checkouts, refunds and disputes":
            "Betalingen, met de pogingen, afrekeningen, terugbetalingen en geschillen die erbij horen",
        "Payments, set-ups and checkouts that were begun and came to no charge":
            "Betalingen, machtigingen en afrekeningen die zijn begonnen en nooit tot een betaling leidden",
    },
    countries={
        "AT": "Oostenrijk", "AU": "Australië", "BE": "België", "BG": "Bulgarije", "BR": "Brazilië", "CA": "Canada",
        "CH": "Zwitserland", "CN": "China", "CY": "Cyprus", "CZ": "Tsjechië", "DE": "Duitsland", "DK": "Denemarken",
        "EE": "Estland", "ES": "Spanje", "FI": "Finland", "FR": "Frankrijk", "GB": "Verenigd Koninkrijk",
        "GR": "Griekenland", "HR": "Kroatië", "HU": "Hongarije", "IE": "Ierland", "IL": "Israël", "IN": "India",
        "IS": "IJsland", "IT": "Italië", "JP": "Japan", "KR": "Zuid-Korea", "LI": "Liechtenstein", "LT": "Litouwen",
        "LU": "Luxemburg", "LV": "Letland", "MT": "Malta", "NL": "Nederland", "NO": "Noorwegen",
        "NZ": "Nieuw-Zeeland", "PL": "Polen", "PT": "Portugal", "RO": "Roemenië", "SE": "Zweden", "SG": "Singapore",
        "SI": "Slovenië", "SK": "Slowakije", "TR": "Turkije", "UA": "Oekraïne", "US": "Verenigde Staten",
        "ZA": "Zuid-Afrika",
    },
    authorities={
        "BE": "Gegevensbeschermingsautoriteit (gegevensbeschermingsautoriteit.be)",
        "FR": "CNIL (cnil.fr)",
        "IE": "Data Protection Commission (dataprotection.ie)",
        "NL": "Autoriteit Persoonsgegevens (autoriteitpersoonsgegevens.nl)",
    },
    other_authority="de toezichthouder op de gegevensbescherming van het land waar u woont, waar u werkt, of waar "
    "volgens u "
    "de wet is overtreden",
    labels={
        "title": "Uw persoonsgegevens",
        "skip": "Naar de inhoud",
        "asked": "U vroeg",
        "request": "Verzoek",
        "received": "Ontvangen op",
        "answered": "Beantwoord op",
        "made": "Kopie gemaakt op",
        "trial": "Dit is een test. Er zit geen echt verzoek achter.",
        "contents": "Inhoud",
        "overview": "In één oogopslag",
        "recipient": "Ontvanger",
        "where": "Waar",
        "records": "Gegevens",
        "files": "Bestanden",
        "result": "Uitkomst",
        "total": "Totaal",
        "complete": "Gekopieerd",
        "partial": "Er ontbreekt iets: zie hieronder",
        "none": "Niets gevonden",
        "unsearched": "Niet doorzocht: zie hieronder",
        "missing": "Niet gekopieerd: zie hieronder",
        "recipients": "Bij wie wij hebben gezocht",
        "nobody": "Er is geen systeem of leverancier gevraagd.",
        "country": "Gegevens staan in",
        "safeguard": "Waarborg voor gegevens buiten de Europese Economische Ruimte",
        "no_safeguard": "Er is geen waarborg vastgelegd; vraag ons ernaar, dan vertellen wij het u.",
        "not_announced": "Meer is van deze ontvanger niet bekend.",
        "kinds": "Soorten gegevens",
        "kind": "Soort",
        "what": "Wat het is",
        "open": "Openen",
        "as_table": "tabel",
        "as_data": "data",
        "not_described": "Niet beschreven",
        "news": "Wat wij hebben gevonden, en wat niet",
        "file_list": "Bestanden",
        "file": "Bestand",
        "file_kind": "Soort",
        "file_size": "Grootte",
        "more_files": "en nog {count} in de map {folder}",
        "using": "Hoe u deze kopie gebruikt",
        "using_text": "Pak dit pakket eerst uit, dan werken de verwijzingen. Voor elke ontvanger is er een map. "
        "Daarin staat elke soort gegevens twee keer: als tabel "
        "(.csv) voor "
        "een rekenprogramma, en als data (.json) voor programma's. Gevonden bestanden staan in de map “files”, onder "
        "namen "
        "die wij ze hebben gegeven.",
        "apostrophe": "In een tabel staat een apostrof voor tekst die een rekenprogramma voor een formule zou kunnen "
        "houden. In het databestand staat dezelfde tekst zoals hij is.",
        "manifest_text": "Het bestand {manifest} noemt alles in dit pakket, met een controlegetal (SHA-256) "
        "waaraan beschadiging te zien is.",
        "private": "Deze kopie bevat persoonsgegevens. Bewaar haar waar niemand anders haar kan lezen.",
        "rights": "Uw rechten",
        "rights_text": "U mag ons vragen uw gegevens te verbeteren, te wissen of het gebruik ervan te beperken; u mag "
        "bezwaar maken tegen het gebruik; en u mag vragen om wat u ons gaf in een vorm die u elders kunt gebruiken.",
        "more_text": "Waarvoor wij uw gegevens gebruiken, hoe lang wij ze bewaren, hoe wij eraan komen, en of "
        "machines alleen "
        "besluiten nemen: dat staat in onze privacyverklaring, of vraag het ons en noem {request}.",
        "complain": "Als u het er niet mee eens bent",
        "complain_text": "Laat het ons weten en noem {request}: wij kijken er graag opnieuw naar. U hebt het recht "
        "een klacht "
        "in te dienen bij de toezichthouder: {authority}. U hebt ook het recht naar de rechter te gaan.",
    },
)  # fmt: skip
