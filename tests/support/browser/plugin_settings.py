"""The settings of the plugin, changed in a page as its settings editor would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SET = """async ([name, value]) => {
  const services = (jupyterapp.pluginRegistry ?? jupyterapp)._services;
  const [token] = [...services.keys()].filter(({ name }) => name === '@jupyterlab/coreutils:ISettingRegistry');
  const registry = await jupyterapp.resolveRequiredService(token);
  await registry.set('tracelab:hints', name, value);
}"""


def setting(page: Page, name: str, value: bool) -> None:
    """Change one setting; open notebooks hear of it."""
    page.evaluate(_SET, [name, value])
