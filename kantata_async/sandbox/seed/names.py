"""The names of a company's people, clients and work."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "northwind-advisory.example"

_FIRST: Final = """
    Aaliyah Adaeze Aditi Ahmed Aiko Alejandro Alice Amara Amir Ana Anders Anika Arjun Astrid Beatriz Benjamin Bianca
    Bjorn Camila Carlos Carmen Chen Chiara Chidi Chloe Claire Dagny Daniel David Deepa Diego Dmitri Ebba Elena Eli
    Emeka Emily Emre Esther Fatima Felix Fiona Francesca Gabriel Gita Grace Hana Hannah Hassan Helena Hiroshi Hugo
    Ibrahim Ines Ingrid Isaac Isabela Ivan Jamal James Javier Jin Joanna Jonas Jorge Julia Kamala Karim Katarina
    Keiko Kenji Kofi Kwame Lars Layla Leila Leo Li Linh Liam Lucia Luca Maja Malik Marcus Maria Mateo Maya Mei Mia
    Michael Mikael Mina Minh Miriam Mohammed Nadia Naomi Natalia Nia Nikhil Noah Noor Nora Oksana Olga Oliver Olu
    Omar Oscar Pablo Paula Petra Pia Priya Quinn Rafael Rahul Ravi Rosa Ruth Sakura Salma Samuel Sanjay Sara Sergei
    Simone Sofia Soren Sunita Tamar Tariq Thandiwe Tomas Uma Valentina Victor Wei Xin Yara Yuki Yusuf Zainab Zoe
"""

_LAST: Final = """
    Abbasi Abebe Acosta Adeyemi Aguilar Ahmad Almeida Andersen Bakker Banerjee Barbosa Bauer Bianchi Boateng
    Carvalho Castillo Chandra Chavez Cho Cohen Costa Dahl Das Davies Delgado Desai Diallo Diaz Dubois Eriksson
    Estrada Evans Farouk Fernandez Fischer Flores Fontaine Friedman Garcia Ghosh Gomez Greene Gupta Haddad Hansen
    Hashimoto Hernandez Hoang Hoffmann Horvat Ito Iyer Jackson Jansen Jimenez Johansson Kamau Kapoor Kaya Khan Kim
    Kimura Kowalski Kumar Larsen Lee Leclerc Lima Lindgren Liu Lopez Marino Martin Mbeki Mehta Mendoza Meyer
    Mitchell Moreau Morales Mori Mwangi Nair Nakamura Navarro Nguyen Nielsen Novak Nowak Nwosu Obi Ochoa Okafor
    Oliveira Olsen Ortiz Osei Park Patel Pereira Petrov Pham Popescu Qureshi Ramos Rao Reyes Ricci Rivera Rossi Sato
    Schmidt Shah Sharma Silva Singh Sokolov Suzuki Svensson Tanaka Teixeira Tran Vargas Virtanen Volkov Wagner
    Walker Wang Weber Williams Wong Wright Yamamoto Yang Yilmaz Zhang Zhou
"""

FIRST_NAMES: Final = tuple(_FIRST.split())

LAST_NAMES: Final = tuple(_LAST.split())

ROLES: Final = (
    "Consultant",
    "Senior Consultant",
    "Architect",
    "Project Manager",
    "Designer",
    "Developer",
    "QA Engineer",
    "Analyst",
    "Engagement Lead",
    "Data Engineer",
    "Change Manager",
    "Trainer",
)

CLIENTS: Final = (
    "Alder & Finch",
    "Bluewater Logistics",
    "Cobalt Health",
    "Dunmore Retail",
    "Evergreen Energy",
    "Fairhaven Bank",
    "Granite Insurance",
    "Harbor Foods",
    "Ironbridge Steel",
    "Juniper Hotels",
    "Kestrel Airways",
    "Lumen Telecom",
    "Meridian Pharma",
    "Norden Shipping",
    "Orchard Media",
    "Pinecrest University",
)

ENGAGEMENTS: Final = (
    "CRM Rollout",
    "Data Platform",
    "ERP Migration",
    "Website Relaunch",
    "Finance Transformation",
    "Customer Portal",
    "Cloud Readiness",
    "Operating Model",
    "Warehouse Automation",
    "Analytics Foundation",
    "Service Desk Redesign",
    "Mobile App",
)

PHASES: Final = ("Discovery", "Design", "Build", "Test", "Launch", "Hypercare")

TASKS: Final = (
    "Interview stakeholders",
    "Map current processes",
    "Draft requirements",
    "Review with client",
    "Prepare environment",
    "Configure workflows",
    "Migrate data",
    "Write test cases",
    "Train key users",
    "Close open points",
)

SKILLS: Final = {
    "Delivery": ("Project Planning", "Risk Management", "Workshop Facilitation", "Agile Coaching"),
    "Engineering": ("Python", "SQL", "TypeScript", "Cloud Architecture", "Integration Design"),
    "Experience": ("User Research", "Interaction Design", "Accessibility"),
    "Languages": ("French", "German", "Japanese", "Spanish"),
}

CITIES: Final = (
    ("Austin", "TX", "US"),
    ("Bergen", "Vestland", "NO"),
    ("Kyoto", "Kyoto", "JP"),
    ("Lagos", "Lagos", "NG"),
    ("Lisbon", "Lisboa", "PT"),
    ("Portland", "OR", "US"),
    ("Pune", "MH", "IN"),
    ("Toronto", "ON", "CA"),
)

NOTES: Final = (
    "Workshop and follow-up",
    "Configuration",
    "Client call",
    "Documentation",
    "Data checks",
    "Design review",
)

POSTS: Final = (
    "Kick-off is on Monday; the agenda is attached.",
    "The test environment is ready.",
    "Please review the draft by Thursday.",
    "The client has signed off the design.",
)

WORDS: Final = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heron", "Iris", "Jade")
