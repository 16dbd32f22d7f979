"""A Django project in one file: pictures that are uploaded are stored as .slic files, and shown as JPEG.

    pip install django && python examples/django_pictures.py runserver

    curl -F picture=@examples/photo.png localhost:8000/        stores media/photo.slic
    http://localhost:8000/photo.slic                           shows it

Once the plugin is registered, all of Django that works with pictures through Pillow takes .slic files, too:
`ImageField` in forms and models accepts their upload and knows their size, without decoding them.
"""

import io
import os
import sys
from pathlib import Path

import django
from django import forms
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from PIL import Image

import slic.plugins.pillow

slic.plugins.pillow.register()  # in a project of several files: in the ready() of an AppConfig
settings.configure(
    DEBUG=True,
    SECRET_KEY="for this example only",
    ROOT_URLCONF=__name__,
    MEDIA_ROOT=os.environ.get("MEDIA_ROOT", "media"),
)


class Upload(forms.Form):
    picture = forms.ImageField()


@csrf_exempt  # so that curl may post; a page with a form has a token
def publish(request: HttpRequest) -> HttpResponse:
    form = Upload(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    upload = form.cleaned_data["picture"]
    file = io.BytesIO()
    with Image.open(upload) as picture:
        picture.save(file, "SLIC", quality=6)
    name = default_storage.save(Path(upload.name).stem + ".slic", ContentFile(file.getvalue()))
    return JsonResponse({"stored": name, "bytes": file.tell()})


def show(request: HttpRequest, name: str) -> FileResponse:
    shown = io.BytesIO()
    with Image.open(default_storage.open(name)) as picture:
        picture.convert("RGB").save(shown, "JPEG", quality=95)
    shown.seek(0)
    return FileResponse(shown, content_type="image/jpeg")


urlpatterns = [path("", publish), path("<str:name>", show)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
else:
    django.setup()
    application = get_wsgi_application()
