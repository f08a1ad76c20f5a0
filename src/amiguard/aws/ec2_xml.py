"""EC2's XML replies: parsed once, without entities, network or DTD, and only if they are whole.

Source: EC2 API Reference, and the `ec2` protocol of the AWS service models (lower camel case elements, `item` lists,
errors as `Response/Errors/Error`).
"""

from collections.abc import Iterator

from lxml import etree

from amiguard.aws.errors import ApiError


class MalformedReplyError(Exception):
    """The reply is not what was asked for: cut, of another kind, or not XML at all."""


def parse_reply(content: bytes, expected: str) -> etree._Element:
    """The root element of a successful reply.

    Args:
        content: the body.
        expected: the root element's name without namespace (`DescribeImagesResponse`).

    Raises:
        MalformedReplyError: the body is not that document, whole.
    """
    root = _parse(content)
    if local_name(root) != expected:
        raise MalformedReplyError(f"a document <{local_name(root)}> came where <{expected}> was asked for")
    return root


def parse_error(content: bytes) -> ApiError:
    """The first error of an error document.

    Raises:
        MalformedReplyError: the body is no error document.
    """
    for element in _parse(content).iter():
        if local_name(element) == "Error" and (code := child_text(element, "Code")):
            return ApiError(code, child_text(element, "Message") or "")
    raise MalformedReplyError("an error reply without an error code")


def _parse(content: bytes) -> etree._Element:
    # A parser for each document: lxml's parsers keep the errors of earlier documents, and a new one costs microseconds.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedReplyError(f"the reply is {'HTML' if _is_html(content) else 'no whole XML'}") from error
    if _is_html(content):
        raise MalformedReplyError("the reply is HTML")
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedReplyError("the reply has a document type, which AWS never sends")
    return root


def _is_html(content: bytes) -> bool:
    return content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of that name, whatever its namespace."""
    for one in element:
        if local_name(one) == name:
            return one
    return None


def child_text(element: etree._Element, name: str) -> str | None:
    """The text of the first child of that name; None if there is no such child."""
    found = child(element, name)
    return None if found is None else found.text or ""


def items(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """The items of a list.

    Raises:
        MalformedReplyError: the list is not there, or there twice. EC2 sends an empty element for an empty list.
    """
    found = [one for one in element if local_name(one) == name]
    if len(found) != 1:
        raise MalformedReplyError(f"<{local_name(element)}> has {'more than one' if found else 'no'} <{name}>")
    for one in found[0]:
        if local_name(one) != "item":
            raise MalformedReplyError(f"<{name}> holds a <{local_name(one)}>")
        yield one
