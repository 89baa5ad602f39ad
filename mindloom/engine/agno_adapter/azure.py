"""OpenAI's models at Azure. Agno's package for Azure imports Anthropic's SDK as well, so it is read only where it is used."""

from __future__ import annotations

from mindloom.engine.agno_adapter.chat import ChatModel

from agno.models.azure.openai_chat import AzureOpenAI  # isort: skip


class AzureModel(ChatModel, AzureOpenAI):
    """Agno's model, with our boundary around it."""
