"""slic inside other libraries: `slic.plugins.pillow.register()`, `slic.plugins.imageio.register()`."""
