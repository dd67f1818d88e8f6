"""Parse upload forms (multipart/form-data, as twine sends it)."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of an upload (``fields``: the first of each name, ``values``: all), and its file."""

    fields: dict[str, str]
    values: dict[str, list[str]]
    filename: str
    content: bytes

    def get(self, name: str) -> str:
        """Return a field; empty if it was not sent."""
        return self.fields.get(name, "")


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse a form, keeping the file's bytes as they were sent."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    fields: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    filename, content = "", b""
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesParser(policy=HTTP).parsebytes(head + b"\r\n\r\n", headersonly=True)
        name = str(headers.get_param("name", header="content-disposition"))
        data = data.removesuffix(b"\r\n")
        file = headers.get_filename()
        if file:
            filename, content = file, data
        else:
            fields.setdefault(name, data.decode())
            values.setdefault(name, []).append(data.decode())
    return Form(fields=fields, values=values, filename=filename, content=content)
