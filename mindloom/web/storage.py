"""Static files with a hash in their name, compressed once."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between ES modules, so that they can be cached for ever."""

    support_js_module_import_aggregation = True
