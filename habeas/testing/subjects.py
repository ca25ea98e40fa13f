"""Made-up people: the same number gives the same person, and no address of theirs can reach anybody."""

from dataclasses import dataclass

from habeas.sdk import Identity, IdentityType

# Names that break what assumes Latin letters, one word, or no apostrophe.
NAMES = ("Jane Doe", "Zoë O'Brien", "Łukasz Żółć", "李小龙", "José María de la Cruz", "Nguyễn Thị Ánh", "Bobby Tables")


@dataclass(frozen=True, slots=True)
class Person:
    """One person as a processor may know them."""

    name: str
    email: str
    phone: str
    customer_id: str

    @property
    def identities(self) -> tuple[Identity, ...]:
        """E-mail and customer id, as a request would name them."""
        return (Identity(IdentityType.EMAIL, self.email), Identity(IdentityType.CUSTOMER_ID, self.customer_id))


def person(number: int) -> Person:
    """Return person `number`, 0 to 999,999 (domains of RFC 2606, numbers that are not given out)."""
    return Person(
        name=NAMES[number % len(NAMES)],
        email=f"subject-{number}@example.org",
        phone=f"+1555{number:07d}",
        customer_id=f"c-{number:06d}",
    )
