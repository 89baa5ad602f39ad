"""Pages of buckets."""

from buckets.views.bucket import archive, delete, restore, search_page, settings_page, transfer, uses_page
from buckets.views.document import change, content_file, document_page, remove, replace, retry
from buckets.views.files import files_page, paste, upload
from buckets.views.generations import add_question, decide_generation, remove_question
from buckets.views.lists import bucket_list, create
from buckets.views.preview import preview
from buckets.views.web import refresh_source, remove_source, web_page

__all__ = [
    "add_question",
    "archive",
    "bucket_list",
    "change",
    "content_file",
    "create",
    "decide_generation",
    "delete",
    "document_page",
    "files_page",
    "paste",
    "preview",
    "refresh_source",
    "remove",
    "remove_question",
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
