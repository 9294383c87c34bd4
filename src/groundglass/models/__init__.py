"""Model cards and weights; one load_model(name)."""

from groundglass.models.registry import (
    Model,
    builtin_models,
    load_model,
    model_card,
    model_config,
    model_folder,
    save_model,
)

__all__ = ["Model", "builtin_models", "load_model", "model_card", "model_config", "model_folder", "save_model"]
