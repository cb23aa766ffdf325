"""The site of `django_app.py`: who is logged in, and what is in the cart, both in the session."""

from django.http import HttpResponse
from django.urls import path


def login(request):
    request.session.cycle_key()
    request.session["name"] = request.GET["name"]
    return HttpResponse(f"hello {request.GET['name']}")


def whoami(request):
    return HttpResponse(request.session.get("name", "nobody"))


def add(request):
    items = request.session.setdefault("cart", [])
    items.append(request.GET["item"])
    request.session.modified = True
    return HttpResponse(str(len(items)))


def cart(request):
    return HttpResponse(" ".join(request.session.get("cart", [])))


def logout(request):
    request.session.flush()
    return HttpResponse("bye")


urlpatterns = [path(view.__name__, view) for view in (login, whoami, add, cart, logout)]
