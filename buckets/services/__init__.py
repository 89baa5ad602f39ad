"""Everything that can be done with content buckets and their documents."""

from buckets.services.changing import change_document
from buckets.services.documents import (
    add_document,
    paste_text,
    remove_document,
    replace_document,
    retry_document,
)
from buckets.services.generations import (
    adopt_generation,
    discard_generation,
    remove_question,
    revert_generation,
    save_question,
)
from buckets.services.keeping import (
    archive_bucket,
    create_bucket,
    delete_bucket,
    restore_bucket,
    transfer_bucket,
    update_bucket,
)
from buckets.services.sweeping import sweep_documents
from buckets.services.web import add_source, refresh_source, remove_source
from buckets.worker.naming import split_tags
from buckets.worker.receiving import Added

__all__ = [
    "Added",
    "add_document",
    "add_source",
    "adopt_generation",
    "archive_bucket",
    "change_document",
    "create_bucket",
    "delete_bucket",
    "discard_generation",
    "paste_text",
    "refresh_source",
    "remove_document",
    "remove_question",
    "remove_source",
    "replace_document",
    "restore_bucket",
    "retry_document",
    "revert_generation",
    "save_question",
    "split_tags",
    "sweep_documents",
    "transfer_bucket",
    "update_bucket",
]
