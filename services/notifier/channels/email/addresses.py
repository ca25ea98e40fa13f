"""Reads exactly one mail address, or none: what anybody typed must never become a second recipient or a command."""

import re
from email.errors import MessageError
from email.headerregistry import Address

# Printable, no white space, none of the characters with which lists, routes, comments and display names are written.
_PLAIN = re.compile(r"""[^\s\x00-\x1f\x7f<>()\[\]:;,"\\@]{1,64}@[^\s\x00-\x1f\x7f<>()\[\]:;,"\\@]{1,253}""")
LONGEST = 254  # RFC 5321, 4.5.3.1.3, without its angle brackets


class MalformedAddress(ValueError):
    """Not one plain mail address."""


def one_address(text: str) -> Address:
    """Return the address that `text` is, its domain in ASCII; raise `MalformedAddress`.

    Quoted local parts and address literals are lawful, but nobody has one; they are refused.
    """
    address = text.strip(" ")
    if len(address) > LONGEST or not address.isprintable() or _PLAIN.fullmatch(address) is None:
        raise MalformedAddress
    local, _, domain = address.partition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        # addr_spec is parsed, and so checked; it refuses what RFC 6531 allows on the left.
        parsed = Address(addr_spec=f"{local if local.isascii() else 'x'}@{ascii_domain}")
    except (MessageError, ValueError, IndexError, UnicodeError):
        raise MalformedAddress from None
    if parsed.domain != ascii_domain or parsed.display_name or (local.isascii() and parsed.username != local):
        raise MalformedAddress
    return parsed if local.isascii() else Address(username=local, domain=ascii_domain)
