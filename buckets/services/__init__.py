"""Everything that can be done with content buckets and their documents."""

from buckets.services.changing import change_document
from buckets.services.describing import split_tags
from buckets.services.documents import (
    Added,
    add_document,
    paste_text,
    remove_document,
    replace_document,
    retry_document,
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

__all__ = [
    "Added",
    "add_document",
    "archive_bucket",
    "change_document",
    "create_bucket",
    "delete_bucket",
    "paste_text",
    "remove_document",
    "replace_document",
    "restore_bucket",
    "retry_document",
    "split_tags",
    "sweep_documents",
    "transfer_bucket",
    "update_bucket",
]
