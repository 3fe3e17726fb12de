package synth

var pregnant = sct("72892002", "Normal pregnancy")

var (
	fundalHeight  = does("274804006", "Evaluation of uterine fundal height", 67711, 5)
	fetalHeart    = does("225158009", "Auscultation of the fetal heart", 59873, 10)
	groupB        = does("118001005", "Streptococcus pneumoniae group B antigen test", 50917, 10)
	fetalAnatomy  = does("271442007", "Fetal anatomy study", 93407, 30)
	alphaProtein  = does("275833003", "Alpha-fetoprotein test", 52103, 10)
	urineSugar    = does("268556000", "Urine screening for glucose", 30829, 10)
	threefold     = does("399014008", "Vaccination for diphtheria, pertussis, and tetanus", 51679, 10)
	childbirth    = does("66348005", "Childbirth", 1017401, 240)
	epidural      = does("18946005", "Epidural anesthesia", 283673, 20)
	cesarean      = does("11466000", "Cesarean section", 1483019, 90)
	examAfter     = does("5880005", "Physical examination following birth", 43313, 20)
	bloodTransfer = does("180207008", "Intravenous blood transfusion of packed cells (procedure)", 118211, 120)
)

// firstTests are taken when a pregnancy is booked.
var firstTests = []*act{
	does("252160004", "Standard pregnancy test", 41177, 5),
	does("169230002", "Ultrasound scan for fetal viability", 81307, 20),
	fundalHeight, fetalHeart,
	does("44608003", "Blood typing, RH typing", 29573, 5),
	does("104091002", "Hemoglobin / Hematocrit / Platelet count", 33331, 5),
	does("47758006", "Hepatitis B Surface Antigen Measurement", 38891, 5),
	does("31676001", "Human immunodeficiency virus antigen test", 41983, 5),
	does("310861008", "Chlamydia antigen test", 36599, 5),
	does("165829005", "Gonorrhea infection test", 36683, 5),
	does("269828009", "Syphilis infection test", 34919, 5),
	does("117010004", "Urine culture", 31249, 5),
	does("90226004", "Cytopathology procedure, preparation of smear, genital source", 52291, 10),
	does("395123002", "Urine screening test for diabetes", 30841, 5),
	does("104375008", "Hepatitis C antibody test", 40343, 5),
	does("169690007", "Rubella screening", 37423, 5),
	does("104326007", "Measurement of Varicella-zoster virus antibody", 44279, 5),
	does("28163009", "Skin test for tuberculosis", 31907, 5),
	does("167271000", "Urine protein test", 29129, 5),
	does("5880005", "Physical examination of mother", 43313, 15),
}

// booking is the first visit of a pregnancy, with all its tests.
func (g *generator) booking(at stamp) {
	g.arrive(&prenatalFirst, at, &pregnant)
	g.p.pregnancy = g.condition(&pregnant, 231)
	why := g.v.because()
	g.performAll(firstTests, why)
	g.care(&antenatalCare, 231, why)
	g.leave()
}

// antenatal is the visit some months later.
func (g *generator) antenatal(months int, at stamp) {
	why := &problem{&pregnant, g.p.pregnancy}
	g.arrive(&prenatal, at, &pregnant)
	g.perform(fundalHeight, 0, why)
	g.perform(fetalHeart, 5, why)
	switch months {
	case 2:
		g.performAll([]*act{fetalAnatomy, alphaProtein}, why)
	case 4:
		g.performAll([]*act{urineSugar, threefold}, why)
	case 7:
		g.perform(groupB, 15, why)
	}
	g.leave()
}

// delivery is the birth of the child.
func (g *generator) delivery(at stamp) {
	why := &problem{&pregnant, g.p.pregnancy}
	g.arrive(&birthVisit, at, &pregnant)
	g.perform(epidural, 60, why)
	if g.permille(240) {
		g.perform(cesarean, 180, why)
		g.treat(&saline, why)
	}
	g.perform(childbirth, 120, why)
	if g.permille(40) {
		g.perform(bloodTransfer, 400, why)
	}
	g.treat(&acetaminophen, why)
	g.leave()
}

// postnatal is the visit after it.
func (g *generator) postnatal(at stamp) {
	why := &problem{&pregnant, g.p.pregnancy}
	g.arrive(&afterBirth, at, why.what)
	g.perform(examAfter, 0, why)
	if g.permille(600) {
		g.prescribe(&pill, false, nil)
	}
	g.leave()
}
