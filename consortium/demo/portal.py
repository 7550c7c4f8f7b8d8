"""A person at the portal and at the API, as the client's command line is one too."""

from consortium.client.visitor import CALLBACK as CALLBACK
from consortium.client.visitor import CLIENT_ID as CLIENT_ID
from consortium.client.visitor import Visitor as Visitor
from consortium.client.visitor import visitor as visitor
