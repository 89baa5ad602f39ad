"""Pages of buckets."""

from buckets.views.bucket import archive, delete, restore, search_page, settings_page, transfer, uses_page
from buckets.views.document import change, content_file, document_page, remove, replace, retry
from buckets.views.files import files_page, paste, upload
from buckets.views.lists import bucket_list, create
from buckets.views.web import refresh_source, remove_source, web_page

__all__ = [
    "archive",
    "bucket_list",
    "change",
    "content_file",
    "create",
    "delete",
    "document_page",
    "files_page",
    "paste",
    "refresh_source",
    "remove",
    "remove_source",
    "replace",
    "restore",
    "retry",
    "search_page",
    "settings_page",
    "transfer",
    "upload",
    "uses_page",
    "web_page",
]
