"""Buckets with files, received and read as by a worker."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.files.base import ContentFile
from fpdf import FPDF

from buckets import services, worker
from buckets.models import Bucket, Document
from mindloom import wall


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }


@pytest.fixture
def bucket(cast, in_marketing) -> Bucket:
    return services.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, name="Rules")


@pytest.fixture
def add(cast, bucket):
    """Receive a file of Alice's and have it read; returns its document."""

    def added(name: str, content: bytes | str, *, to: Bucket | None = None, by=None) -> Document:
        data = content.encode() if isinstance(content, str) else content
        made = services.add_document(actor=by or cast.alice, bucket=to or bucket, file=ContentFile(data), name=name)
        read_all()
        with wall.system("tests: look behind the scenes"):
            return Document.objects.select_related("newest__content", "live").get(pk=made.document.pk)

    return added


def read_all() -> None:
    """What the worker of documents does."""
    worker.work()


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF with these pages."""
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in pages:
        made.add_page()
        if text:
            made.multi_cell(0, 8, text)
    if password:
        made.set_encryption(owner_password="owner", user_password=password)
    return bytes(made.output())


def docx(build) -> bytes:
    """A Word document that `build` fills."""
    import docx as word

    made = word.Document()
    build(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


NAMES = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def zipped(entries) -> bytes:
    """A zip archive of these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def relations(**targets) -> str:
    """What a part of an Office file points to."""
    rows = "".join(f'<Relationship Id="{key}" Target="{target}"/>' for key, target in targets.items())
    return f"<Relationships>{rows}</Relationships>"


def slide(title, *texts) -> str:
    """A slide of a presentation."""
    shapes = [f'<p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>{title}</a:t></a:r></a:p>'] if title else []
    shapes += [f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts]
    return f"<p:sld {NAMES}>{''.join(f'<p:sp>{one}</p:sp>' for one in shapes)}</p:sld>"
