"""slic for programs that open pictures through Pillow or imageio: `slic.plugins.pillow.register()`, alike."""
