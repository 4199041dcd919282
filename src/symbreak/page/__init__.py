"""What every HTML page of symbreak shares: one file, no network access, everything escaped."""

from symbreak.page.network_picture import network_picture
from symbreak.page.render import Identifiers, check_renderable, render
from symbreak.page.to_json import plain

__all__ = ["Identifiers", "check_renderable", "network_picture", "plain", "render"]
