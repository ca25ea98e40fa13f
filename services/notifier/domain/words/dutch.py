"""Dutch."""

from habeas.vocabulary import Checked, Disposition, Headline, Right
from services.notifier.domain.words.shape import Counted, Words

DUTCH = Words(
    months=(
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ),
    rights={
        Right.ACCESS: "om de persoonsgegevens te zien die wij van u hebben",
        Right.ERASURE: "om uw persoonsgegevens te laten wissen",
        Right.RECTIFICATION: "om uw persoonsgegevens te laten verbeteren",
        Right.PORTABILITY: "om uw persoonsgegevens te ontvangen in een vorm die u elders kunt gebruiken",
        Right.RESTRICTION: "om te beperken wat er met uw persoonsgegevens gebeurt",
        Right.OBJECTION: "om te stoppen met gebruik van uw persoonsgegevens waartegen u bezwaar hebt",
        Right.CONSENT_WITHDRAWAL: "om uw toestemming in te trekken",
        Right.INFORMATION: "om te weten hoe er met uw persoonsgegevens wordt omgegaan",
    },
    subjects={
        Right.ACCESS: "Uw verzoek om inzage",
        Right.ERASURE: "Uw verzoek om wissing",
        Right.RECTIFICATION: "Uw verzoek om verbetering",
        Right.PORTABILITY: "Uw verzoek om overdracht van gegevens",
        Right.RESTRICTION: "Uw verzoek om beperking",
        Right.OBJECTION: "Uw bezwaar",
        Right.CONSENT_WITHDRAWAL: "De intrekking van uw toestemming",
        Right.INFORMATION: "Uw verzoek om informatie",
    },
    next={
        Right.ACCESS: "Wij verzamelen wat al onze systemen en leveranciers van u hebben.",
        Right.ERASURE: "Wij laten uw gegevens wissen in al onze systemen en bij al onze leveranciers die ze hebben, "
        "en kijken daarna opnieuw waar dat kan.",
        Right.RECTIFICATION: "Wij laten uw gegevens verbeteren in al onze systemen en bij al onze "
        "leveranciers die ze hebben.",
        Right.PORTABILITY: "Wij verzamelen uw gegevens uit al onze systemen en bij al onze leveranciers die ze hebben.",
        Right.RESTRICTION: "Wij laten al onze systemen en leveranciers uw gegevens wel bewaren, maar niet gebruiken.",
        Right.OBJECTION: "Wij laten al onze systemen en leveranciers die uw gegevens hebben weten "
        "waarmee zij moeten stoppen.",
        Right.CONSENT_WITHDRAWAL: "Wij laten al onze systemen en leveranciers die op uw toestemming steunen "
        "daarmee stoppen.",
        Right.INFORMATION: "Wij zoeken uit welke systemen en leveranciers uw gegevens hebben, waar, en waarvoor.",
    },
    headlines={
        Headline.FULFILLED: "Wij hebben gedaan wat u vroeg.",
        Headline.FULFILLED_WITH_RETENTION: "Wij hebben gedaan wat u vroeg, behalve voor gegevens die "
        "wij nog moeten bewaren.",
        Headline.PARTLY_FULFILLED: "Wij hebben een deel gedaan van wat u vroeg.",
        Headline.NOTHING_FOUND: "Wij hebben onze systemen en leveranciers doorzocht en geen "
        "persoonsgegevens van u gevonden.",
        Headline.REFUSED: "Wij hebben niet gedaan wat u vroeg, omdat wij daar een reden voor hebben.",
        Headline.NOT_FULFILLED: "Het spijt ons: het is ons niet gelukt om te doen wat u vroeg.",
    },
    dispositions={
        Disposition.ERASED: Counted("gewist", "1 gegeven gewist", "{count} gegevens gewist"),
        Disposition.ANONYMISED: Counted(
            "anoniem gemaakt", "1 gegeven anoniem gemaakt", "{count} gegevens anoniem gemaakt"
        ),
        Disposition.SUPPRESSED: Counted(
            "geblokkeerd voor verder gebruik",
            "1 gegeven geblokkeerd voor verder gebruik",
            "{count} gegevens geblokkeerd voor verder gebruik",
        ),
        Disposition.EXPORTED: Counted(
            "voor u gekopieerd", "1 gegeven voor u gekopieerd", "{count} gegevens voor u gekopieerd"
        ),
        Disposition.RECTIFIED: Counted("verbeterd", "1 gegeven verbeterd", "{count} gegevens verbeterd"),
        Disposition.RESTRICTED: Counted(
            "bewaard, maar niet meer gebruikt",
            "1 gegeven wordt bewaard, maar niet meer gebruikt",
            "{count} gegevens worden bewaard, maar niet meer gebruikt",
        ),
        Disposition.LIFTED: Counted(
            "niet langer beperkt", "1 gegeven is niet langer beperkt", "{count} gegevens zijn niet langer beperkt"
        ),
        Disposition.STOPPED: Counted(
            "gebruik gestopt", "gebruik van 1 gegeven gestopt", "gebruik van {count} gegevens gestopt"
        ),
        Disposition.ALREADY_DONE: Counted(
            "dit was al eerder gedaan",
            "voor 1 gegeven was dit al eerder gedaan",
            "voor {count} gegevens was dit al eerder gedaan",
        ),
        Disposition.NOT_FOUND: Counted(
            "niets van u gevonden", "1 gegeven was er niet meer", "{count} gegevens waren er niet meer"
        ),
        Disposition.RETAINED: Counted("bewaard", "1 gegeven bewaard", "{count} gegevens bewaard"),
        Disposition.REFUSED: Counted("niet gedaan", "niet gedaan voor 1 gegeven", "niet gedaan voor {count} gegevens"),
        Disposition.FAILED: Counted(
            "geprobeerd, maar niet gelukt",
            "geprobeerd, maar niet gelukt voor 1 gegeven",
            "geprobeerd, maar niet gelukt voor {count} gegevens",
        ),
        Disposition.NOT_APPLICABLE: Counted(
            "hier niet van toepassing", "niet van toepassing op 1 gegeven", "niet van toepassing op {count} gegevens"
        ),
    },
    checked={
        Checked.VERIFIED: "Wij hebben dit daarna gecontroleerd.",
        Checked.ATTESTED: "Dit is ons bevestigd; zelf konden wij het niet controleren.",
        Checked.NOT_CHECKABLE: "Niemand kon dit achteraf controleren.",
    },
    unchecked_search="Dit konden wij zelf niet controleren.",
    grounds={
        "tax_law": "omdat de belastingwet dat vereist",
        "accounting_law": "omdat het jaarrekeningenrecht dat vereist",
        "employment_law": "omdat het arbeidsrecht dat vereist",
        "legal_obligation": "omdat de wet dat vereist",
        "legal_claims": "omdat het nodig kan zijn voor een rechtsvordering",
        "legal_hold": "omdat het nodig kan zijn voor een rechtsvordering",
        "contract": "omdat het nodig is voor een overeenkomst met u",
        "public_interest": "vanwege een taak van algemeen belang",
        "freedom_of_expression": "vanwege de vrijheid van meningsuiting en informatie",
        "legitimate_interest": "vanwege een belang van ons dat zwaarder weegt dan het uwe",
        "shared_with_others": "omdat het ook andere mensen betreft",
        "object_lock": "omdat het tegen verwijdering is vergrendeld",
        "security": "omdat het nodig is om onze systemen veilig te houden",
    },
    other_ground="op de grond die is vastgelegd als “{word}”",
    no_ground="om een rechtmatige reden; vraag ons welke, dan vertellen wij het u",
    until="tot {day}",
    reasons={
        "not_served": "Deze ontvanger heeft niets waarop dit recht betrekking heeft.",
        "right_not_served": "De systemen daar bieden niets voor dit recht.",
        "no_accepted_identity": "Deze ontvanger kent mensen aan andere gegevens dan wij van u hebben.",
        "no_export_store": "Er was geen veilige plaats voor de kopie.",
        "cannot_fulfil": "Het is technisch niet mogelijk.",
        "shared_with_others": "De gegevens betreffen ook andere mensen.",
        "never_announced": "Deze ontvanger was niet bereikbaar.",
        "keeps_failing": "Het bleef mislukken.",
        "residue_remains": "Een deel van de gegevens was er nog toen wij opnieuw keken.",
        "skipped_by_operator": "Wij hebben besloten deze ontvanger niet te vragen; vraag ons waarom, dan vertellen "
        "wij het u.",
        "processor_retired": "Wij werken niet meer met deze ontvanger.",
        "cannot_be_listed": "Deze ontvanger kan zulke gegevens niet opzoeken met wat wij van u weten.",
        "unknown_field": "Deze ontvanger bewaart dit gegeven niet.",
        "old_value_differs": "Wat daar staat, is niet wat volgens u onjuist is.",
        "already_in_use": "Iemand anders staat daar al met de nieuwe waarde.",
        "value_not_accepted": "De ontvanger aanvaardt de nieuwe waarde niet.",
        "unknown_hold": "Wat eerder is bewaard, kon niet worden teruggevonden.",
        "not_erasable_by_vendor": "De ontvanger biedt geen manier om dit te wissen.",
        "closed": "Het verzoek was al afgesloten voordat deze ontvanger antwoordde.",
        "forgotten": "Het verzoek was al afgesloten voordat deze ontvanger antwoordde.",
        "disproportionate": "Het zou onevenredig veel moeite kosten.",
        "unsafe_customer_id": "Uw klantnummer heeft een vorm waarmee het niet kan zoeken.",
        "unspecified": "Vraag ons naar de reden, dan vertellen wij die u.",
    },
    other_reason="De reden is vastgelegd als “{word}”.",
    categories={
        "account": "Account",
        "activities": "Activiteiten",
        "application": "Sollicitatie",
        "calls": "Telefoongesprekken",
        "charges": "Betalingen",
        "communications": "Berichten",
        "completions": "Teksten gemaakt door AI",
        "contact": "Contactgegevens",
        "contact_details": "Contactgegevens",
        "contacts": "Contactgegevens",
        "conversations": "Gesprekken",
        "cookies": "Cookies",
        "customer": "Klantgegevens",
        "documents": "Documenten",
        "emails": "E-mails",
        "files": "Bestanden",
        "invoices": "Facturen",
        "meetings": "Afspraken",
        "messages": "Berichten",
        "newsletter": "Nieuwsbrief",
        "notes": "Notities",
        "objects": "Bestanden",
        "orders": "Bestellingen",
        "payment_methods": "Betaalmiddelen",
        "payments": "Betalingen",
        "profile": "Profiel",
        "responses": "Antwoorden gemaakt door AI",
        "subscriptions": "Abonnementen",
        "tasks": "Taken",
        "tickets": "Supportvragen",
        "uploads": "Onvoltooide uploads",
        "vector_stores": "Zoekindexen",
    },
    received="{subject}: wij hebben het ontvangen",
    answered="{subject}: ons antwoord",
    trial="[Test] {subject}",
)
